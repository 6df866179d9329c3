// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where files come from: behind a URL or out of a folder.

use std::fmt;
use std::path::{Path, PathBuf};

/// A place with files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Site {
    /// An http or https URL without a slash at its end.
    Web(String),
    /// A folder of this machine.
    Folder(PathBuf),
}

impl Site {
    /// From a URL or a path.
    pub(super) fn of(text: &str) -> Self {
        if text.starts_with("http://") || text.starts_with("https://") {
            return Self::Web(text.trim_end_matches('/').to_owned());
        }
        Self::Folder(Path::new(text.strip_prefix("file://").unwrap_or(text)).to_owned())
    }

    /// The URL or path of a file of it, for people and for requests.
    pub(super) fn of_file(&self, inside: &str) -> String {
        match self {
            Self::Web(url) => format!("{url}/{}", encoded(inside)),
            Self::Folder(folder) => folder.join(inside).display().to_string(),
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Web(url) => f.write_str(&without_password(url)),
            Self::Folder(folder) => write!(f, "{}", folder.display()),
        }
    }
}

/// A URL as it may be shown: without the name and the password that it may have (RFC 3986, section 3.2.1).
pub(super) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}{path}")
}

/// A path as a URL has it (RFC 3986, section 2): names of packages have `+`, `~` and `^`.
fn encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let site = Site::of("http://user:secret@debug.example:80/x@y/");
        assert_eq!(site.to_string(), "http://debug.example:80/x@y");
        assert_eq!(without_password("/srv/a@b"), "/srv/a@b");
    }

    #[test]
    fn urls_and_paths_are_told_apart() {
        assert_eq!(Site::of("http://a/b/"), Site::Web("http://a/b".into()));
        assert_eq!(Site::of("file:///srv/rpms"), Site::Folder("/srv/rpms".into()));
        assert_eq!(Site::of("rpms"), Site::Folder("rpms".into()));
        let name = Site::of("http://a/b").of_file("Packages/libstdc++ x.rpm");
        assert_eq!(name, "http://a/b/Packages/libstdc%2B%2B%20x.rpm");
    }
}

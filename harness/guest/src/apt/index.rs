// SPDX-License-Identifier: MIT OR Apache-2.0
//! Package records as `apt-cache show` prints them (deb-src-control(5)'s form).

use super::super::foreign;

/// One version of one package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) package: String,
    pub(crate) version: String,
    /// Bytes of the package's file.
    pub(crate) size: u64,
    pub(crate) sha256: String,
    /// Whether it says `Multi-Arch: same`, as packages of shared libraries do.
    pub(crate) library: bool,
    pub(crate) depends: Vec<Dependency>,
}

/// One package that another one needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The first of the alternatives.
    pub(crate) package: String,
    /// The version, where exactly one will do.
    pub(crate) exactly: Option<String>,
}

impl Record {
    /// Name and version as `apt-get download` takes them.
    pub(crate) fn pinned(&self) -> String {
        format!("{}={}", self.package, self.version)
    }
}

/// Reads all records of the text; one that lacks a name, version, size or hash is left out.
pub(crate) fn parse(text: &str) -> Vec<Record> {
    text.split("\n\n").filter_map(record).collect()
}

fn record(stanza: &str) -> Option<Record> {
    let field = |name: &str| {
        let value = |line: &'_ str| -> Option<String> {
            let (key, value) = line.split_once(':')?;
            (key == name).then(|| value.trim().to_owned())
        };
        stanza.lines().find_map(value)
    };
    let sha256 = field("SHA256")?;
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash {
        return None;
    }
    let depends = |name| field(name).map(|text| dependencies(&text)).unwrap_or_default();
    Some(Record {
        package: plain(&field("Package")?)?,
        version: field("Version").filter(|text| is_version(text))?,
        size: field("Size")?.parse().ok()?,
        sha256: sha256.to_ascii_lowercase(),
        library: field("Multi-Arch").as_deref() == Some("same"),
        depends: [depends("Pre-Depends"), depends("Depends")].concat(),
    })
}

/// A name that becomes a part of paths of the cache and a word for apt.
pub(super) fn plain(text: &str) -> Option<String> {
    foreign::name("name", text).ok()
}

/// `[epoch:]upstream[-revision]` (deb-version(7)).
fn is_version(text: &str) -> bool {
    let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
    epoch.parse::<u32>().is_ok() && rest.split(':').all(|part| plain(part).is_some())
}

/// Reads `a (>= 1), b:any | c, d (= 2)`.
fn dependencies(text: &str) -> Vec<Dependency> {
    let one = |alternatives: &str| {
        let first = alternatives.split('|').next()?.trim();
        let (name, condition) = first.split_once('(').unwrap_or((first, ""));
        let name = plain(name.trim().split(':').next()?)?;
        let exactly = condition.trim().strip_prefix('=').map(|rest| {
            let version = rest.split(')').next().unwrap_or(rest);
            version.trim().to_owned()
        });
        Some(Dependency { package: name, exactly })
    };
    text.split(',').filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";

    fn sample() -> String {
        format!(
            "Package: libexample1\nSource: example\nVersion: 1:2.0~rc1-3+b1\nArchitecture: amd64\n\
             Multi-Arch: same\nPre-Depends: base (= 1.0)\n\
             Depends: one (>= 2), two:any | three, four (= 1:5-6)\n\
             Description: an example\n with Depends: not-a-field\n\
             Size: 1234\nSHA256: {HASH}\n\n\
             Package: second\nVersion: 1\nSize: 1\nSHA256: {HASH}\n\n\
             Package: installed-only\nStatus: install ok installed\nVersion: 1\n\n"
        )
    }

    #[test]
    fn records_and_their_dependencies_are_read() {
        let records = parse(&sample());
        assert_eq!(records.len(), 2);
        let first = &records[0];
        assert_eq!(first.pinned(), "libexample1=1:2.0~rc1-3+b1");
        assert_eq!((first.size, first.library), (1234, true));
        assert_eq!(first.sha256, HASH.to_ascii_lowercase());
        let names: Vec<&str> = first.depends.iter().map(|d| &*d.package).collect();
        assert_eq!(names, ["base", "one", "two", "four"]);
        assert_eq!(first.depends[3].exactly.as_deref(), Some("1:5-6"));
        assert_eq!(first.depends[1].exactly, None);
        assert!(!records[1].library);
    }

    #[test]
    fn a_record_that_would_leave_the_cache_is_left_out() {
        for name in ["../evil", "a/b", "..", "a b"] {
            let text = sample().replace("libexample1", name);
            assert_eq!(parse(&text).len(), 1, "{name}");
        }
        assert_eq!(parse(&sample().replace(HASH, "abc")).len(), 0);
    }

    #[test]
    fn a_dependency_that_apt_would_take_for_an_option_is_left_out() {
        let text = sample().replace("two:any", "-oDir::Bin::x=y").replace("four", "a/b");
        let names: Vec<_> = parse(&text)[0].depends.iter().map(|it| it.package.clone()).collect();
        assert_eq!(names, ["base", "one"]);
        assert_eq!(parse(&sample().replace("1:2.0~rc1", "1:../2.0")).len(), 1);
    }

    #[test]
    fn text_that_is_no_index_has_no_records() {
        for text in ["", "\n\n\n", ":", "Package", "Package: a\nDepends: ,,|(,:\n"] {
            assert_eq!(parse(text), [], "{text:?}");
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A cpio archive in the kernel's form (`newc`), the same bytes for the same content.

use std::collections::BTreeMap;
use std::io;

use cpio::newc::{Builder, ModeFileType, trailer};

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Node {
    Folder,
    File { content: Vec<u8>, mode: u32 },
    Link { target: String },
    Device { major: u32, minor: u32 },
}

/// Files by their path in the guest. Folders come by themselves.
#[derive(Debug, Default)]
pub(super) struct Archive {
    /// Paths without the leading slash. In this order a folder comes before what is in it.
    nodes: BTreeMap<String, Node>,
}

impl Archive {
    /// Adds an empty folder.
    pub(super) fn folder(&mut self, path: &str) {
        self.add(path, Node::Folder);
    }

    /// Adds a file for reading.
    pub(super) fn file(&mut self, path: &str, content: Vec<u8>) {
        self.add(path, Node::File { content, mode: 0o644 });
    }

    /// Adds a program.
    pub(super) fn program(&mut self, path: &str, content: Vec<u8>) {
        self.add(path, Node::File { content, mode: 0o755 });
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.add(path, Node::Link { target: target.to_owned() });
    }

    /// Adds a character device.
    pub(super) fn device(&mut self, path: &str, major: u32, minor: u32) {
        self.add(path, Node::Device { major, minor });
    }

    fn add(&mut self, path: &str, node: Node) {
        let path = path.trim_matches('/');
        for (slash, _) in path.match_indices('/') {
            self.nodes.entry(path[..slash].to_owned()).or_insert(Node::Folder);
        }
        self.nodes.insert(path.to_owned(), node);
    }

    /// The archive.
    ///
    /// # Errors
    /// A file is larger than the form allows (4 GiB).
    pub(super) fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for (number, (path, node)) in (1..).zip(&self.nodes) {
            let entry = Builder::new(path).ino(number);
            bytes = match node {
                Node::Folder => finish(
                    entry.mode(0o755).set_mode_file_type(ModeFileType::Directory),
                    &[],
                    bytes,
                ),
                Node::File { content, mode } => {
                    let entry = entry.mode(*mode).set_mode_file_type(ModeFileType::Regular);
                    finish(entry, content, bytes)
                }
                Node::Link { target } => {
                    let entry = entry.mode(0o777).set_mode_file_type(ModeFileType::Symlink);
                    finish(entry, target.as_bytes(), bytes)
                }
                Node::Device { major, minor } => {
                    let entry = entry.mode(0o600).set_mode_file_type(ModeFileType::Char);
                    finish(entry.rdev_major(*major).rdev_minor(*minor), &[], bytes)
                }
            }?;
        }
        trailer(bytes)
    }
}

fn finish(entry: Builder, content: &[u8], bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let size = u32::try_from(content.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut writer = entry.write(bytes, size);
    io::Write::write_all(&mut writer, content)?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::super::tests::listing;
    use super::*;

    fn archive() -> Archive {
        let mut archive = Archive::default();
        archive.program("/a/b/tool", b"#!".to_vec());
        archive.file("/etc/list", b"one\ntwo\n".to_vec());
        archive.link("/bin/sh", "busybox");
        archive.device("/dev/console", 5, 1);
        archive.folder("/a-b");
        archive
    }

    #[test]
    fn every_folder_comes_before_what_is_in_it() {
        let entries = listing(&archive().to_bytes().unwrap());
        let names: Vec<&str> = entries.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "a",
                "a-b",
                "a/b",
                "a/b/tool",
                "bin",
                "bin/sh",
                "dev",
                "dev/console",
                "etc",
                "etc/list"
            ]
        );
    }

    #[test]
    fn modes_and_contents_are_kept() {
        let entries = listing(&archive().to_bytes().unwrap());
        let entry = |name: &str| {
            let (_, mode, content) = entries.iter().find(|(path, ..)| path == name).unwrap();
            (*mode, String::from_utf8_lossy(content).into_owned())
        };
        assert_eq!(entry("a/b/tool"), (0o100_755, "#!".into()));
        assert_eq!(entry("etc/list"), (0o100_644, "one\ntwo\n".into()));
        assert_eq!(entry("bin/sh"), (0o120_777, "busybox".into()));
        assert_eq!(entry("dev/console"), (0o020_600, String::new()));
        assert_eq!(entry("a-b"), (0o040_755, String::new()));
    }

    #[test]
    fn the_same_content_gives_the_same_bytes() {
        assert_eq!(archive().to_bytes().unwrap(), archive().to_bytes().unwrap());
    }
}

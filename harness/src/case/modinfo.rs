// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module says about itself: the section `.modinfo`, `key=value` texts ended by NUL
//! (`include/linux/moduleparam.h`, all versions).

use object::{Object, ObjectSection};

/// The texts of a module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Modinfo(Vec<(String, String)>);

/// Reads the section; a module without one says nothing.
///
/// # Errors
/// It is no object file.
pub(crate) fn read(module: &[u8]) -> object::read::Result<Modinfo> {
    let file = object::File::parse(module)?;
    let Some(section) = file.section_by_name(".modinfo") else { return Ok(Modinfo::default()) };
    Ok(Modinfo::of(section.data()?))
}

impl Modinfo {
    fn of(section: &[u8]) -> Self {
        let entries = section.split(|byte| *byte == 0).filter_map(|entry| {
            let entry = String::from_utf8_lossy(entry);
            let (key, value) = entry.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        });
        Self(entries.collect())
    }

    /// The value of the first entry with this key.
    pub(crate) fn first(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }

    /// The values of all entries with this key.
    pub(crate) fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own == key).map(|(_, value)| value.as_str())
    }

    /// The modules it depends on; `depends` is empty for one that needs no other.
    pub(crate) fn depends(&self) -> Vec<String> {
        let value = self.first("depends").unwrap_or_default();
        value.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// The modules that it wants to have before it where they are to be had: the words of `softdep`
    /// between `pre:` and `post:`.
    pub(crate) fn wishes(&self) -> Vec<String> {
        let mut wishes = Vec::new();
        for value in self.all("softdep") {
            let mut before = false;
            for word in value.split_whitespace() {
                match word {
                    "pre:" => before = true,
                    "post:" => before = false,
                    name if before => wishes.push(name.to_owned()),
                    _ => {}
                }
            }
        }
        wishes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_the_beginning_of_another() {
        let section = b"vermagicx=no\0license=GPL\0\0vermagic=6.1.0 SMP \0";
        let said = Modinfo::of(section);
        assert_eq!(said.first("vermagic"), Some("6.1.0 SMP "));
        assert_eq!(said.first("absent"), None);
        assert_eq!(Modinfo::of(b""), Modinfo::default());
    }

    #[test]
    fn a_module_may_need_several_or_none_and_wish_for_others() {
        let said = Modinfo::of(b"depends=virtio_ring,virtio\0softdep=pre: a b post: c\0alias=x\0");
        assert_eq!(said.depends(), ["virtio_ring", "virtio"]);
        assert_eq!(said.wishes(), ["a", "b"]);
        assert!(Modinfo::of(b"depends=\0").depends().is_empty());
    }

    #[test]
    fn what_is_no_object_file_is_an_error() {
        assert!(read(b"#!/bin/sh\n").is_err());
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a module says about itself: the section `.modinfo`, `key=value` texts ended by NUL
//! (`include/linux/moduleparam.h`, all versions).

use object::{Object, ObjectSection};

/// The value of the first entry with this key.
pub(crate) fn value(module: &[u8], key: &str) -> object::read::Result<Option<String>> {
    let file = object::File::parse(module)?;
    let Some(section) = file.section_by_name(".modinfo") else { return Ok(None) };
    Ok(find(section.data()?, key))
}

fn find(section: &[u8], key: &str) -> Option<String> {
    section.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(key.as_bytes())?.strip_prefix(b"=")?;
        Some(String::from_utf8_lossy(value).into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_not_the_beginning_of_another() {
        let section = b"vermagicx=no\0license=GPL\0\0vermagic=6.1.0 SMP \0";
        assert_eq!(find(section, "vermagic").as_deref(), Some("6.1.0 SMP "));
        assert_eq!(find(section, "absent"), None);
        assert_eq!(find(b"", "vermagic"), None);
    }

    #[test]
    fn what_is_no_object_file_is_an_error() {
        assert!(value(b"#!/bin/sh\n", "vermagic").is_err());
    }
}

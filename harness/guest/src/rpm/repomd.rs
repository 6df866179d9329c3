// SPDX-License-Identifier: MIT OR Apache-2.0
//! `repodata/repomd.xml`: which files describe a repository, with their checksums.

use super::checksum::Checksum;
use super::location::Location;
use super::xml::{Item, walk};

/// A file that describes the repository's packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// Its path in the repository.
    pub(super) location: Location,
    /// Of the file as it is, compressed.
    pub(super) checksum: Checksum,
    pub(super) size: Option<u64>,
}

/// What repomd.xml names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Repomd {
    /// Packages, what they provide and require, and their more important files.
    pub(super) primary: Option<Listing>,
    /// All files of all packages.
    pub(super) filelists: Option<Listing>,
}

impl Repomd {
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut repomd = Self::default();
        let mut current = Data::default();
        walk(text, &mut |item| {
            match item {
                Item::Begin(element) => match element.name {
                    "data" => {
                        current = Data { kind: element.attribute("type"), ..Data::default() };
                    }
                    "checksum" => current.checksum_kind = element.attribute("type"),
                    "location" => current.location = element.attribute("href"),
                    _ => {}
                },
                Item::End("checksum", text) => current.checksum = Some(text.to_owned()),
                Item::End("size", text) => current.size = text.trim().parse().ok(),
                Item::End("data", _) => repomd.take(std::mem::take(&mut current))?,
                Item::End(..) => {}
            }
            Ok(())
        })?;
        Ok(repomd)
    }

    fn take(&mut self, data: Data) -> Result<(), String> {
        let place = match data.kind.as_deref() {
            Some("primary") => &mut self.primary,
            Some("filelists") => &mut self.filelists,
            _ => return Ok(()),
        };
        let location = Location::new(&data.location.ok_or("a file of it has no location")?)?;
        let checksum = data
            .checksum_kind
            .zip(data.checksum)
            .and_then(|(kind, value)| Checksum::new(&kind, &value));
        let checksum =
            checksum.ok_or_else(|| format!("{} has no checksum of use", location.as_str()))?;
        *place = Some(Listing { location, checksum, size: data.size });
        Ok(())
    }
}

/// One `data` element while it is read.
#[derive(Debug, Default)]
struct Data {
    kind: Option<String>,
    location: Option<String>,
    checksum_kind: Option<String>,
    checksum: Option<String>,
    size: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As createrepo of CentOS 7 wrote it, shortened.
    const TEXT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="r" xmlns:rpm="p">
 <revision>1587512243</revision>
 <data type="filelists_db">
  <checksum type="sha256">aa</checksum>
  <location href="repodata/x-filelists.sqlite.bz2"/>
 </data>
 <data type="primary">
  <checksum type="sha256">0123456789012345678901234567890123456789012345678901234567890123</checksum>
  <open-checksum type="sha256">4567890123456789012345678901234567890123456789012345678901234567</open-checksum>
  <location href="repodata/x-primary.xml.gz"/>
  <timestamp>1604001756</timestamp>
  <size>2834</size>
  <open-size>34934</open-size>
 </data>
</repomd>"#;

    #[test]
    fn the_listing_of_packages_is_found_with_the_checksum_of_the_file_as_it_is() {
        let repomd = Repomd::parse(TEXT.as_bytes()).unwrap();
        let primary = repomd.primary.unwrap();
        assert_eq!(primary.location.as_str(), "repodata/x-primary.xml.gz");
        assert!(primary.checksum.value.starts_with("0123"));
        assert_eq!(primary.size, Some(2834));
        assert_eq!(repomd.filelists, None);
    }

    #[test]
    fn a_listing_without_a_checksum_of_use_is_an_error() {
        let text = TEXT.replace("checksum type=\"sha256\">0123", "checksum type=\"md5\">0123");
        let why = Repomd::parse(text.as_bytes()).unwrap_err();
        assert!(why.contains("x-primary.xml.gz"), "{why}");
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is known of a package before its file is here: from primary.xml, or from its own header.

use std::io;
use std::path::Path;

use super::super::Package as Listed;
use super::capability::{Capability, Relation};
use super::checksum::{Checksum, Kind};
use super::header::{Header, invalid, tag};
use super::identity::Identity;
use super::location::Location;
use super::version::Evr;

/// One package of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) identity: Identity,
    /// Of the package's file.
    pub(super) checksum: Checksum,
    pub(super) size: u64,
    pub(super) location: Location,
    pub(super) provides: Vec<Capability>,
    pub(super) requires: Vec<Capability>,
    /// Absolute paths; from primary.xml only those that packages commonly require.
    pub(super) files: Vec<String>,
    /// Number of its repository in the guest's list.
    pub(super) repository: usize,
}

impl Record {
    pub(super) fn name(&self) -> &str {
        self.identity.name()
    }

    pub(super) fn evr(&self) -> &Evr {
        self.identity.evr()
    }

    pub(super) fn full_name(&self) -> String {
        self.identity.full_name()
    }

    /// As the list of a guest's packages has it. A checksum of another kind than SHA-256 is
    /// written with its kind.
    pub(super) fn listed(&self) -> Listed {
        let sha256 = match self.checksum.kind {
            Kind::Sha256 => self.checksum.value.clone(),
            kind => format!("{kind:?}:{}", self.checksum.value).to_ascii_lowercase(),
        };
        Listed { name: self.name().to_owned(), version: self.evr().to_string(), sha256 }
    }

    /// From a package's own header; none for a package of sources.
    pub(super) fn of_header(
        header: &Header,
        path: &Path,
        sha256: String,
    ) -> io::Result<Option<Self>> {
        // A package of sources has none itself.
        if header.text(tag::SOURCERPM).is_none() {
            return Ok(None);
        }
        let identity = header.identity().map_err(|why| invalid(&why))?;
        let capabilities = |names, bits, versions| {
            let (names, versions) = (header.texts(names), header.texts(versions));
            let bits = header.numbers(bits);
            let one = |(index, name): (usize, &&str)| {
                let bits = bits.get(index).copied().unwrap_or(0);
                let version = versions.get(index).filter(|version| !version.is_empty());
                let bound = Relation::of_bits(bits).zip(version.map(|text| Evr::parse(text)));
                (bits, Capability { name: (*name).to_owned(), bound })
            };
            names.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        let provides = capabilities(tag::PROVIDENAME, tag::PROVIDEFLAGS, tag::PROVIDEVERSION);
        let requires = capabilities(tag::REQUIRENAME, tag::REQUIREFLAGS, tag::REQUIREVERSION);
        let for_scripts = |bits: u32| bits & SCRIPTS != 0;
        Ok(Some(Self {
            identity,
            checksum: Checksum { kind: Kind::Sha256, value: sha256 },
            size: path.metadata()?.len(),
            location: Location::found(path),
            provides: provides.into_iter().map(|(_, it)| it).collect(),
            requires: requires
                .into_iter()
                .filter(|(bits, it)| !for_scripts(*bits) && is_of_packages(&it.name))
                .map(|(_, it)| it)
                .collect(),
            files: header.files(),
            repository: 0,
        }))
    }
}

/// `RPMSENSE_SCRIPT_PRE`, `_POST`, `_PREUN`, `_POSTUN` and `RPMSENSE_PREREQ`: needed by scripts,
/// which are not run here.
const SCRIPTS: u32 = 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 6;

/// Whether a requirement is one of other packages, not of RPM itself.
pub(super) fn is_of_packages(name: &str) -> bool {
    !name.starts_with("rpmlib(")
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The symbol table of an ELF file, read by the `object` crate alone.

use std::fs::File;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use harness::map::Map;
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};

/// Symbols by name.
#[derive(Debug)]
pub struct Symbols {
    map: Map,
    path: String,
    /// GNU build-id, in hex.
    pub build_id: Option<String>,
}

/// Where a symbol is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of its section.
    pub section: String,
    /// As in the table: from the start of the section in a `.ko`, the link-time address in a
    /// `vmlinux`.
    pub address: u64,
}

impl Symbols {
    /// Opens a file.
    ///
    /// # Errors
    /// It is no ELF file.
    pub fn read(file: &Path) -> Result<Self> {
        let path = file.display().to_string();
        let map = File::open(file).and_then(|file| Map::of(&file));
        let map = map.with_context(|| format!("open {path}"))?;
        let object = object::File::parse(&map[..]).with_context(|| format!("read {path}"))?;
        let build_id = object.build_id().with_context(|| format!("read {path}"))?;
        let build_id = build_id.map(|id| id.iter().map(|byte| format!("{byte:02x}")).collect());
        Ok(Self { map, path, build_id })
    }

    /// The symbol of that name.
    ///
    /// # Errors
    /// There is none, or there are several at different places.
    pub fn only(&self, name: &str) -> Result<Place> {
        let object = object::File::parse(&self.map[..])?;
        let mut places = Vec::new();
        for symbol in object.symbols().filter(|symbol| symbol.name() == Ok(name)) {
            let Some(section) = symbol.section_index() else { continue };
            let section = object.section_by_index(section)?.name()?.to_owned();
            places.push(Place { section, address: symbol.address() });
        }
        places.dedup();
        match <[Place; 1]>::try_from(places) {
            Ok([place]) => Ok(place),
            Err(places) => bail!("{} symbols {name} in {}", places.len(), self.path),
        }
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! `primary.xml` and `filelists.xml`: the packages of a repository. Read as streams; the one of
//! CentOS 7 has 50 MB when unpacked, its list of files ten times that.

use std::io::{BufRead, BufReader, Read};

use super::capability::{Capability, Relation};
use super::checksum::Checksum;
use super::identity::Identity;
use super::location::Location;
use super::record::{Record, is_of_packages};
use super::version::Evr;
use super::xml::{Element, Item, walk};

/// More is not from a repository.
const MAX_BYTES: u64 = 8 << 30;

/// Opens a metadata file, compressed in one of the ways in use.
pub(super) fn opened<'r>(file: impl Read + 'r) -> Result<Box<dyn BufRead + 'r>, String> {
    let mut file = BufReader::with_capacity(1 << 16, file);
    let magic = file.fill_buf().map_err(|error| error.to_string())?;
    let magic: Vec<u8> = magic.iter().take(6).copied().collect();
    let reader: Box<dyn Read + 'r> = match magic[..] {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0xfd, b'7', b'z', b'X', b'Z', 0] => Box::new(lzma_rust2::XzReader::new(file, true)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let reader = ruzstd::decoding::StreamingDecoder::new(file);
            Box::new(reader.map_err(|error| error.to_string())?)
        }
        [b'<', ..] => Box::new(file),
        _ => return Err("it is neither XML nor compressed by gzip, xz or zstd".to_owned()),
    };
    Ok(Box::new(BufReader::with_capacity(1 << 16, reader.take(MAX_BYTES))))
}

/// Reads the records of the packages that run on this machine.
pub(super) fn parse(
    source: impl BufRead,
    arch: &str,
    repository: usize,
) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    let mut current: Option<Draft> = None;
    walk(source, &mut |item| {
        match item {
            Item::Begin(element) if element.name == "package" => current = Some(Draft::default()),
            Item::End("package", _) => {
                let record = current.take().map(|draft| draft.finish(repository)).transpose()?;
                let fits = |record: &Record| record.identity.runs_on(arch);
                records.extend(record.flatten().filter(fits));
            }
            Item::Begin(element) => {
                if let Some(draft) = &mut current {
                    draft.begin(&element)?;
                }
            }
            Item::End(name, text) => {
                if let Some(draft) = &mut current {
                    draft.end(name, text);
                }
            }
        }
        Ok(())
    })?;
    Ok(records)
}

/// Which of these files each package has, from filelists.xml: package's checksum and path.
pub(super) fn owners(
    source: impl BufRead,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut package = String::new();
    walk(source, &mut |item| {
        match item {
            Item::Begin(element) if element.name == "package" => {
                package = element.attribute("pkgid").unwrap_or_default();
            }
            Item::End("file", path) if wanted(path) => {
                found.push((package.clone(), path.to_owned()));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

/// Which list of capabilities is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Provides,
    Requires,
}

/// A package while it is read.
#[derive(Debug, Default)]
struct Draft {
    name: String,
    arch: String,
    evr: Evr,
    checksum_kind: String,
    checksum: Option<Checksum>,
    size: u64,
    location: String,
    provides: Vec<Capability>,
    requires: Vec<Capability>,
    files: Vec<String>,
    part: Option<Part>,
}

impl Draft {
    fn begin(&mut self, element: &Element<'_>) -> Result<(), String> {
        let text = |name| element.attribute(name).unwrap_or_default();
        match element.name {
            "version" => {
                self.evr = evr(element);
                let epoch = element.attribute("epoch").unwrap_or_else(|| "0".to_owned());
                if epoch.parse() != Ok(self.evr.epoch) {
                    return Err(format!("the epoch `{}` is no number", epoch.escape_debug()));
                }
            }
            "checksum" => self.checksum_kind = text("type"),
            "size" => self.size = element.number("package").unwrap_or(0),
            "location" => self.location = text("href"),
            "provides" => self.part = Some(Part::Provides),
            "requires" => self.part = Some(Part::Requires),
            // Others that have entries: what it conflicts with, what it replaces.
            "conflicts" | "obsoletes" | "suggests" | "enhances" | "recommends" | "supplements" => {
                self.part = None;
            }
            "entry" => self.entry(element),
            _ => {}
        }
        Ok(())
    }

    fn entry(&mut self, element: &Element<'_>) {
        let Some(name) = element.attribute("name") else { return };
        let relation = element.attribute("flags").and_then(|flags| Relation::named(&flags));
        let capability = Capability { name, bound: relation.map(|it| (it, evr(element))) };
        match self.part {
            Some(Part::Provides) => self.provides.push(capability),
            Some(Part::Requires) => {
                // What scripts need that are run before or after an installation: none are run.
                let script = element.attribute("pre").is_some_and(|pre| pre == "1");
                if !script && is_of_packages(&capability.name) {
                    self.requires.push(capability);
                }
            }
            None => {}
        }
    }

    fn end(&mut self, name: &str, text: &str) {
        match name {
            "name" => self.name = text.to_owned(),
            "arch" => self.arch = text.to_owned(),
            "checksum" => self.checksum = Checksum::new(&self.checksum_kind, text),
            "file" => self.files.push(text.to_owned()),
            "provides" | "requires" => self.part = None,
            _ => {}
        }
    }

    /// None for a package that lacks what it takes to get it.
    fn finish(self, repository: usize) -> Result<Option<Record>, String> {
        let Some(checksum) = self.checksum else { return Ok(None) };
        if self.name.is_empty() || self.location.is_empty() {
            return Ok(None);
        }
        Ok(Some(Record {
            identity: Identity::new(&self.name, &self.evr, &self.arch)?,
            checksum,
            size: self.size,
            location: Location::new(&self.location)?,
            provides: self.provides,
            requires: self.requires,
            files: self.files,
            repository,
        }))
    }
}

fn evr(element: &Element<'_>) -> Evr {
    Evr {
        epoch: element.number("epoch").and_then(|epoch| u32::try_from(epoch).ok()).unwrap_or(0),
        version: element.attribute("ver").unwrap_or_default(),
        release: element.attribute("rel").unwrap_or_default(),
    }
}

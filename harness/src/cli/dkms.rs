// SPDX-License-Identifier: MIT OR Apache-2.0
//! What sources with a `dkms.conf` have, for commands that make cases of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use guest::{FetchError, GuestFiles, Manifest, Progress, Purpose, Store, WantedPackage};

use crate::case::dkms::{self, DkmsConf, NAME, Variables};
use crate::error::Failure;
use crate::exit::Exit;

/// Reads `dkms.conf` files as for the kernels of guests, each of which is fetched once.
pub(super) struct DkmsReader<'s> {
    store: &'s Store,
    kernels: BTreeMap<String, GuestFiles>,
}

/// A package with a `dkms.conf`.
#[derive(Debug, Clone)]
pub(super) struct DkmsPackage {
    /// Its version.
    pub(super) version: String,
    /// Names of the modules that come out.
    pub(super) modules: Vec<String>,
}

impl<'s> DkmsReader<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, kernels: BTreeMap::new() }
    }

    /// Names of the modules that come out of a folder.
    pub(super) fn modules(
        &mut self,
        folder: &Path,
        guest: &Manifest,
    ) -> Result<Vec<String>, Failure> {
        if !self.kernels.contains_key(&guest.name) {
            let files = guest::fetch(guest, self.store, &mut on)
                .map_err(|error| Failure::from_error(Exit::FetchFailed, &error))?;
            self.kernels.insert(guest.name.clone(), files);
        }
        let files = &self.kernels[&guest.name];
        let variables =
            Variables { release: &files.release, kernel: &files.build_dir, tree: Path::new("/x") };
        let conf = DkmsConf::read(&folder.join(NAME), variables)
            .map_err(|error| Failure::from_error(Exit::BuildFailed, &error))?;
        Ok(conf.modules.into_iter().map(|module| module.name).collect())
    }

    /// What a package has. With `or_newest`, another version will do where the one that is wanted is
    /// not to be had: an archive keeps only the newest.
    pub(super) fn package(
        &mut self,
        wanted: &WantedPackage,
        or_newest: bool,
        guest: &Manifest,
    ) -> Result<DkmsPackage, Failure> {
        let bring = |wanted: &WantedPackage| {
            let wanted = std::slice::from_ref(wanted);
            guest::bring(guest, Purpose::Sources, wanted, self.store, &mut on)
        };
        let brought = match bring(wanted) {
            Err(FetchError::NoPackage { .. }) if or_newest && wanted.version.is_some() => {
                bring(&WantedPackage { version: None, ..wanted.clone() })
            }
            brought => brought,
        };
        let brought = brought.map_err(|error| Failure::from_error(Exit::FetchFailed, &error))?;
        let found = brought.iter().find_map(|it| Some((it, dkms::folder_in(&it.tree)?)));
        let (own, folder) = found.ok_or_else(|| {
            Failure::new(Exit::BuildFailed, format!("package {} has no {NAME}", wanted.name))
        })?;
        let version = own.package.version.clone();
        Ok(DkmsPackage { version, modules: self.modules(&folder, guest)? })
    }
}

fn on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

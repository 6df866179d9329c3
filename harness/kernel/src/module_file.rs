// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a `.ko` is the file that a loaded module came from, and its image if so.

use std::collections::BTreeMap;

use debuginfo::{Files, Image};

use super::identity::hex;
use super::modules::Module;
use super::{Kernel, Unavailable};

/// What became of a module's file.
#[derive(Debug)]
pub enum ModuleFile<'d> {
    /// It is the module's, and this is what says so (`build-id`, `srcversion`).
    Matches {
        /// The file with the module's run-time addresses.
        image: Image<'d>,
        /// What was compared.
        by: &'static str,
    },
    /// It is used, but nothing could be compared.
    Unconfirmed {
        /// The file with the module's run-time addresses.
        image: Image<'d>,
    },
    /// It is another file and is not used.
    Wrong(WrongModule),
    /// It is no module that can be used.
    Unusable(debuginfo::Error),
    /// The dump does not say where the module's sections are.
    NoSections(Unavailable),
}

impl<'d> ModuleFile<'d> {
    /// The image, if the file is used.
    #[must_use]
    pub const fn image(&self) -> Option<&Image<'d>> {
        match self {
            Self::Matches { image, .. } | Self::Unconfirmed { image } => Some(image),
            Self::Wrong(_) | Self::Unusable(_) | Self::NoSections(_) => None,
        }
    }
}

/// A file that is not the one the module was loaded from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the file given for module {name} is another one: the dump has {what} {ours}, the file {theirs}"
)]
pub struct WrongModule {
    /// The module's name.
    pub name: String,
    /// What was compared: `build-id`, `srcversion`, `name`.
    pub what: &'static str,
    /// The dump's value.
    pub ours: String,
    /// The file's value.
    pub theirs: String,
}

impl Kernel<'_> {
    /// Opens `files` as the image of `module` if it is the module's.
    #[must_use]
    pub fn module_file<'d>(&self, module: &Module, files: Files<'d>) -> ModuleFile<'d> {
        let bare = match Image::module(files, &BTreeMap::new()) {
            Ok(bare) => bare,
            Err(error) => return ModuleFile::Unusable(error),
        };
        let by = match self.compare_module(module, &bare) {
            Ok(by) => by,
            Err(wrong) => return ModuleFile::Wrong(wrong),
        };
        let sections = match self.module_sections(module) {
            Ok(sections) => sections,
            Err(why) => return ModuleFile::NoSections(why),
        };
        match (Image::module(files, &sections), by) {
            (Ok(image), Some(by)) => ModuleFile::Matches { image, by },
            (Ok(image), None) => ModuleFile::Unconfirmed { image },
            (Err(error), _) => ModuleFile::Unusable(error),
        }
    }

    /// What confirms that the file is the module's; none if nothing can be compared.
    ///
    /// The build-id decides alone. `srcversion` is a hash of the source, so that another build of
    /// the same source passes: it is asked only where there is no build-id.
    fn compare_module(
        &self,
        module: &Module,
        file: &Image<'_>,
    ) -> Result<Option<&'static str>, WrongModule> {
        let verdict = |what: &'static str, ours: String, theirs: String| {
            if ours == theirs {
                return Ok(Some(what));
            }
            Err(WrongModule { name: module.name.clone(), what, ours, theirs })
        };
        if let (Ok(ours), Some(theirs)) = (self.module_build_id(module), file.build_id()) {
            return verdict("build-id", hex(&ours), hex(&theirs));
        }
        if let (Some(ours), Some(theirs)) = (&module.srcversion, file.modinfo("srcversion")) {
            return verdict("srcversion", ours.clone(), theirs);
        }
        if let Some(theirs) = file.modinfo("name") {
            verdict("name", module.name.clone(), theirs)?;
        }
        Ok(None)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Why a case's modules cannot be had.

use std::io;
use std::path::PathBuf;

use guest::StoreError;

use crate::exit::Exit;

/// Why a case's modules cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The compiler or the linker of modules refused.
    #[error("the modules of {case} do not build for {release} (all output: {log}):\n{lines}")]
    Compile {
        /// The case.
        case: String,
        /// The kernel.
        release: String,
        /// The lines that say why.
        lines: String,
        /// All of the output.
        log: PathBuf,
    },
    /// The build was fine, but a module of the manifest did not come out of it.
    #[error(
        "the build of {case} made no {module}.ko below {folder} (is it in the Kbuild's obj-m?)"
    )]
    NotBuilt {
        /// The case.
        case: String,
        /// The module.
        module: String,
        /// Its folder, relative to the case's.
        folder: PathBuf,
    },
    /// A `dkms.conf` cannot be used.
    #[error("cannot use {path}: {why}")]
    Dkms {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// There is no `dkms.conf`.
    #[error("the sources of {case} have no dkms.conf")]
    NoDkms {
        /// The case.
        case: String,
    },
    /// There is no C compiler.
    #[error("no C compiler: neither gcc{} nor gcc is installed", wanted.map(|n| format!("-{n}")).unwrap_or_default())]
    NoCompiler {
        /// Major version the kernel was compiled with.
        wanted: Option<u32>,
    },
    /// `make` cannot be started.
    #[error("cannot run make")]
    NoMake(#[source] io::Error),
    /// The guest came without what modules are built against.
    #[error(
        "guest has no headers of kernel {release}: import it with its kernel-devel, or use \
         prebuilt modules"
    )]
    NoHeaders {
        /// The kernel.
        release: String,
    },
    /// The guest's build root cannot be entered.
    #[error(
        "cannot enter the build root {folder} ({why}); install bubblewrap, allow user namespaces \
         (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces), run as root, or \
         build with this machine's compiler: --toolchain host"
    )]
    NoEntry {
        /// The root folder.
        folder: PathBuf,
        /// What the last way said.
        why: String,
    },
    /// A module is for another kernel.
    #[error("{path} is for kernel {vermagic}, but the guest runs {release}")]
    Vermagic {
        /// The module.
        path: PathBuf,
        /// The release it was built for.
        vermagic: String,
        /// The guest's release.
        release: String,
    },
    /// A module uses symbols that are others in the guest's kernel.
    #[error(
        "{path} is built for kernel {vermagic}; in {release} these symbols have another checksum \
         (CONFIG_MODVERSIONS), so that the kernel would refuse it: {symbols}"
    )]
    Checksums {
        /// The module.
        path: PathBuf,
        /// The release it was built for.
        vermagic: String,
        /// The guest's release.
        release: String,
        /// The symbols.
        symbols: String,
    },
    /// A module uses symbols that nobody has.
    #[error(
        "{path} needs symbols that neither a module of the case nor kernel {release} has: {symbols}"
    )]
    NoSymbols {
        /// The module.
        path: PathBuf,
        /// The guest's release.
        release: String,
        /// The symbols.
        symbols: String,
    },
    /// A module depends on one that nobody has.
    #[error(
        "{module} depends on {needed}, which is neither a module of the case nor one of kernel \
         {release}"
    )]
    NoDependency {
        /// The module.
        module: String,
        /// What it depends on.
        needed: String,
        /// The guest's release.
        release: String,
    },
    /// The guest's kernel has no such module.
    #[error("kernel {release} has no module {module}; another flavour of it may have")]
    NoInTree {
        /// The module.
        module: String,
        /// The guest's release.
        release: String,
    },
    /// A part of the kernel takes its parameters from the command line.
    #[error(
        "{module} is built into kernel {release}; its parameters are words of \
         setup.command-line, `{module}.NAME=VALUE`"
    )]
    BuiltIn {
        /// The module.
        module: String,
        /// The guest's release.
        release: String,
    },
    /// A file that should be a module is none.
    #[error("{path} is no kernel module: {why}")]
    NoModule {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The kernel's build system cannot work at this place.
    #[error(
        "kernel modules cannot be built below {path}: make and the kernel's build system take \
         only letters, digits and -_.+@/ in a path; set REPRO_CACHE to another folder"
    )]
    Path {
        /// The cache.
        path: PathBuf,
    },
    /// A file of the build cannot be read or written.
    #[error("cannot copy {path}")]
    Copy {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The cache failed.
    #[error(transparent)]
    Store(StoreError),
    /// The caller asked to stop.
    #[error("cancelled")]
    Cancelled,
}

impl BuildError {
    /// Whose it is: of the case, whose modules cannot be had for that kernel, or of this machine.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Compile { .. }
            | Self::NotBuilt { .. }
            | Self::Dkms { .. }
            | Self::NoDkms { .. }
            | Self::Vermagic { .. }
            | Self::Checksums { .. }
            | Self::NoSymbols { .. }
            | Self::NoDependency { .. }
            | Self::NoInTree { .. }
            | Self::BuiltIn { .. }
            | Self::NoModule { .. } => Exit::BuildFailed,
            Self::NoCompiler { .. } | Self::NoMake(_) => Exit::Unavailable,
            Self::NoHeaders { .. }
            | Self::NoEntry { .. }
            | Self::Path { .. }
            | Self::Copy { .. }
            | Self::Store(_) => Exit::SetupError,
            Self::Cancelled => Exit::Interrupted,
        }
    }
}

impl From<StoreError> for BuildError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Cancelled => Self::Cancelled,
            other => Self::Store(other),
        }
    }
}

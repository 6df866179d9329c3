// SPDX-License-Identifier: MIT OR Apache-2.0
//! A case: a folder with modules' sources, a trigger and what is expected of the crash.

mod build;
mod build_error;
mod build_root;
mod build_section;
mod changes;
mod compile;
mod compiler;
mod copy;
pub mod dkms;
pub mod draft;
mod exec_paths;
mod expect;
mod load;
mod manifest;
mod marker;
pub(crate) mod modinfo;
mod needs;
mod old_headers;
mod parameter;
mod place;
mod setup;
mod status;
mod symvers;
mod work;

pub use build::{Build, BuiltModule, build};
pub use build_error::BuildError;
pub use build_section::{BuildSection, DkmsSource};
pub use changes::{ChangeError, Edit, FileChange};
pub use exec_paths::{ExecPaths, WantedPath};
pub use expect::{CulpritExpectation, Expectation, FramePattern, Outcome};
pub use load::{Case, CaseError};
pub use manifest::{GuestPart, Manifest, Module, Origin, Requires, Tier, Trigger, TriggerCommand};
pub use marker::Marker;
pub use needs::{KernelSide, Step, steps};
pub use parameter::Parameter;
pub use setup::Setup;
pub use status::WantedStatus;

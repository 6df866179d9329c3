// SPDX-License-Identifier: MIT OR Apache-2.0
//! A case: a folder with modules' sources, a trigger and what is expected of the crash.

mod build;
mod build_root;
mod compile;
mod compiler;
pub mod draft;
mod expect;
mod load;
mod manifest;
mod marker;
pub(crate) mod modinfo;
mod old_headers;
mod setup;
mod symvers;

pub use build::{Build, BuildError, BuiltModule, build};
pub use expect::{CulpritExpectation, Expectation, FramePattern, Outcome};
pub use load::{Case, CaseError};
pub use manifest::{
    GuestPart, Manifest, Module, Parameter, Requires, Tier, Trigger, TriggerCommand, WantedStatus,
};
pub use marker::Marker;
pub use setup::Setup;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the commands that end with results tell a pipeline.

use clap::Args;

use crate::report::{Annotate, Annotations};

#[derive(Debug, Clone, Args)]
pub(super) struct PipelineOptions {
    /// Tell a pipeline about failures in its own words, on stderr
    #[arg(
        long,
        value_enum,
        default_value_t,
        env = "REPRO_ANNOTATE",
        hide_env_values = true,
        value_name = "WHOSE"
    )]
    annotate: Annotate,
}

impl PipelineOptions {
    /// The pipeline's reporter, if one listens; paths in it are relative to `root`.
    pub(super) fn annotations(&self) -> Option<Annotations> {
        Annotations::of(self.annotate)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is found out about a bad pointer.

use crate::claim::Claim;
use crate::diagnosis::{About, Nature};
use crate::express::Expression;

/// What was found out about a pointer.
pub(super) struct Found {
    pub(super) nature: Nature,
    pub(super) claim: Option<Claim>,
    /// What it is about as C, where that is not the whole pointer.
    pub(super) expression: Option<Expression>,
    /// What the code can be searched for.
    pub(super) about: About,
}

impl From<Nature> for Found {
    fn from(nature: Nature) -> Self {
        Self { nature, claim: None, expression: None, about: About::default() }
    }
}

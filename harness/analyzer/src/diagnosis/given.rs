// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a function of the kernel got from the code that called it.

use crate::express::{Expression, NamedPart};

/// Objects that are named.
const MOST: usize = 3;

/// What a function was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The function.
    pub function: String,
    /// What its pointers lead to.
    pub objects: Vec<GivenObject>,
}

/// An object that a function was given a pointer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenObject {
    /// As C.
    pub expression: Expression,
    /// For who searches the code, where it is a member or a variable.
    pub part: Option<NamedPart>,
}

impl Given {
    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let object = |it: &GivenObject| format!("`{}`", it.expression);
        let objects: Vec<String> = self.objects.iter().take(MOST).map(object).collect();
        format!("`{}` was given {}", self.function, objects.join(", "))
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way from a structure to a member deep inside of it.

use std::fmt;

use crate::Field;

/// The way from a type to an object inside of it: `list[3].second`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// From the outermost to the innermost; not empty.
    pub steps: Vec<Step>,
}

/// One step into a structure or an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where it goes.
    pub way: Way,
    /// What it leads to; offsets are counted from the start of the whole.
    pub field: Field,
}

/// Where a step goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// To a member; one without a name needs no word in C.
    Member(Option<String>),
    /// To an element of an array.
    Element(u64),
}

impl Path {
    /// What the whole path leads to.
    #[must_use]
    pub fn field(&self) -> Option<&Field> {
        self.steps.last().map(|step| &step.field)
    }
}

/// As in C, without a dot before the first member.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        for step in &self.steps {
            match &step.way {
                Way::Member(Some(name)) if is_first => f.write_str(name)?,
                Way::Member(Some(name)) => write!(f, ".{name}")?,
                Way::Member(None) => continue,
                Way::Element(index) => write!(f, "[{index}]")?,
            }
            is_first = false;
        }
        Ok(())
    }
}

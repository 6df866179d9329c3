// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text of an argument, `name=value`, taken apart again.

use super::argument::OPTIMIZED_OUT;

/// An argument, by its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArgumentText<'t> {
    /// Its name; with `@entry` where it is what was passed.
    pub name: &'t str,
    /// Its value, or why the code did not keep one.
    pub value: Result<&'t str, &'t str>,
}

impl<'t> ArgumentText<'t> {
    /// Takes apart what [`super::Argument::text`] makes; `None` for what that did not make.
    #[must_use]
    pub fn parse(text: &'t str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        let rest = value.strip_prefix('<').and_then(|rest| rest.strip_prefix(OPTIMIZED_OUT));
        let why = rest.and_then(|rest| rest.strip_suffix('>'));
        Some(Self { name, value: why.map_or(Ok(value), Err) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::argument::{Argument, Shown, lost};
    use super::*;
    use crate::claim::Addresses;

    struct Plain;

    impl Addresses for Plain {
        fn code(&mut self, address: u64) -> String {
            format!("f+{address:#x}")
        }

        fn data(&mut self, value: u64) -> String {
            format!("<data#{value}>")
        }

        fn field(&mut self, _address: u64) -> Option<String> {
            None
        }

        fn is_stable(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_value_that_was_not_kept_is_told_from_all_others() {
        let text = |shown: Shown| {
            let argument = Argument { name: "it".into(), depth: 0, shown, at_entry: true };
            argument.text(&mut Plain)
        };
        let told = |text: &str| {
            let told = ArgumentText::parse(text).unwrap();
            assert_eq!(told.name, "it@entry");
            told.value.map(str::to_owned).map_err(str::to_owned)
        };
        let reason = "not kept here, and the call has <no> parameter=value";
        assert_eq!(told(&text(lost(&reason))), Err(reason.to_owned()));
        let string = Shown::Pointer(1, Some(format!("\"<{OPTIMIZED_OUT}>\"")));
        for known in [Shown::Words("NULL".into()), Shown::Pointer(1, None), string] {
            assert!(told(&text(known)).is_ok());
        }
        assert_eq!(ArgumentText::parse("no value"), None);
    }
}

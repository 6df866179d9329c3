// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory that was the kernel's or a module's own, and is not any more.

use std::fmt;

/// What lay at an address and is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gone {
    /// The kernel's own initialisation code or data, given back once the kernel had started.
    Start,
    /// Initialisation code or data of a module that is still loaded, given back once it was.
    Init(InitPlace),
    /// Something in the area for modules that belongs to none that is loaded.
    Unloaded {
        /// What a module that is still loaded had there while it was, if one had.
        or: Option<InitPlace>,
        /// What the unloaded module had there, as its file tells, most likely.
        was: Was,
        /// Whether more than the number tells that a module was there: it lies next to what is loaded, as all modules
        /// do, and what was used is a pointer by its type, or leads to what the module's file has.
        is_shown: bool,
    },
    /// The same in a machine where no module was ever unloaded: what a module gave back by itself,
    /// which is what it needed only while it was loaded.
    GivenBack,
}

/// A place in memory that a module needed only while it was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitPlace {
    /// The module.
    pub module: String,
    /// The section.
    pub section: String,
}

/// What a module that was unloaded may have had at an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Was {
    /// A function that begins there, for who calls it.
    pub code: Option<WasThere>,
    /// A variable, for who reads or writes it.
    pub data: Option<WasThere>,
}

/// What a module that was unloaded had at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WasThere {
    /// The module.
    pub module: String,
    /// The function or variable.
    pub symbol: String,
}

/// What who used it took it for: who calls it takes it for code, who reads it may mean data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenFor {
    /// Code.
    Code,
    /// Memory.
    Memory,
}

impl Gone {
    /// Whether nothing else can have been there.
    #[must_use]
    pub const fn is_sure(&self) -> bool {
        match self {
            Self::Start | Self::Init(_) => true,
            Self::GivenBack => false,
            Self::Unloaded { or, is_shown, .. } => or.is_none() && *is_shown,
        }
    }

    /// In words that begin with what it was taken for.
    #[must_use]
    pub const fn taken_for(&self, what: TakenFor) -> GoneWords<'_> {
        GoneWords { gone: self, what }
    }
}

/// What is gone, in words.
#[derive(Debug, Clone, Copy)]
pub struct GoneWords<'g> {
    gone: &'g Gone,
    what: TakenFor,
}

impl fmt::Display for GoneWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            TakenFor::Code => "code",
            TakenFor::Memory => "memory",
        };
        let was = match (self.gone, self.what) {
            (Gone::Unloaded { was, .. }, TakenFor::Code) => was.code.as_ref(),
            (Gone::Unloaded { was, .. }, TakenFor::Memory) => was.data.as_ref(),
            _ => None,
        };
        match self.gone {
            Gone::Start => write!(f, "{what} of the kernel's start, which is freed"),
            Gone::Init(InitPlace { module, section }) => {
                write!(f, "{what} in {section} of module {module}, which is freed after use")
            }
            Gone::Unloaded { is_shown: false, .. } => {
                write!(f, "an address in the area for modules, where none is loaded")
            }
            Gone::Unloaded { .. } => {
                write!(f, "{what} of an unloaded module")?;
                match was {
                    Some(was) => write!(f, ", most likely {was}"),
                    None => Ok(()),
                }
            }
            Gone::GivenBack => {
                write!(f, "{what} of a module's initialisation, which is freed after use")
            }
        }
    }
}

impl fmt::Display for WasThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}`", self.symbol, self.module)
    }
}

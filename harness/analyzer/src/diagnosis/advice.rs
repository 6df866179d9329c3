// SPDX-License-Identifier: MIT OR Apache-2.0
//! Settings of the kernel with which the next time shows more.

/// A setting that would show more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// An oops ends the kernel.
    PanicOnOops,
    /// A warning ends the kernel.
    PanicOnWarn,
    /// What the allocator complains of ends the kernel: it sets the taint `B` (`TAINT_BAD_PAGE`, bit 5).
    PanicOnBadPage,
    /// A task that hangs ends the kernel.
    PanicOnHang,
}

impl Advice {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::PanicOnOops => {
                "with `kernel.panic_on_oops=1` the dump is of the moment of the oops"
            }
            Self::PanicOnWarn => {
                "with `kernel.panic_on_warn=1` the dump is of the moment of the warning"
            }
            Self::PanicOnBadPage => {
                "with `panic_on_taint=0x20` the dump is of the moment of the complaint, and \
                 `slub_debug=FZPU` names who had the object"
            }
            Self::PanicOnHang => {
                "with `kernel.hung_task_panic=1` the kernel itself says how long the task has waited"
            }
        }
    }
}

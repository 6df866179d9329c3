// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables and stacks built by hand, unwound through the public interface.

mod bad_call;
mod cfi;
mod entry;
mod frame_pointer;
mod gone;
mod hostile;
mod machine;
mod orc;
mod scene;
mod start;
mod traced;
mod trampoline;
mod walk;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What names the frames of a backtrace.

use crate::express::Names;
use crate::printer::CodeNames;

/// Names for the frames of a backtrace.
pub trait FrameNames: Names + CodeNames {}

impl<T: Names + CodeNames> FrameNames for T {}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Expressions and printed values of compiled C, against the program's own word and gdb's.

#[path = "values/expressions.rs"]
mod expressions;
#[path = "values/hostile.rs"]
mod hostile;
#[path = "values/printing.rs"]
mod printing;
#[path = "values/program.rs"]
mod program;

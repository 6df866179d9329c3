// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of the crashed machine as a debugger shows them: C expressions over its memory, and
//! structures printed with their types.
//!
//! ```text
//! text ─→ lexer ─→ parser ─→ syntax ─→ evaluate ─→ value ─→ tree ─→ text or JSON
//!                                         │
//!                                       World: debug information, memory, per-CPU offsets
//! ```
//!
//! An expression is what C calls one, without assignments, calls and floating point, plus
//! `name:cpu` for a CPU's copy of a variable. Names are variables, functions and enumerators of
//! the kernel and of its modules; a name in a cast may be a tag or a typedef.
//!
//! Input is not trusted: length and nesting of expressions, depth of structures and number of
//! printed elements are bounded.

mod arithmetic;
mod declaration;
mod error;
mod evaluate;
mod lexer;
mod names;
mod number;
mod parser;
mod quoted;
mod scalar;
mod syntax;
mod tree;
mod tree_text;
mod ty;
mod value;
mod world;

pub use declaration::{Layout, MemberLine};
pub use error::Error;
pub use evaluate::Evaluator;
pub use number::cpus as parse_cpus;
pub use parser::parse;
pub use syntax::{Binary, Expression, TypeName, Unary};
pub use tree::{Limits, Node, Tree};
pub use tree_text::{Radix, Style};
pub use ty::{Shape, Ty};
pub use value::{Place, Value};
pub use world::World;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Faults in modules of others: what the analyzer says of code that it was not made with. Each is a
//! file with the place of the fault, how it is provoked, and the truth, which was found without the
//! analyzer.

mod calm;
mod case_folder;
mod fault;
mod judge;
mod page;
mod recorded;
mod table;
mod tools;

pub use calm::{Draw, Drawn};
pub use case_folder::{Around, write_case};
pub use fault::{Fault, Truth};
pub use judge::{ForeignRow, Root, Said};
pub use page::page;
pub use recorded::{recorded, recording_of};
pub use table::{ForeignTable, ForeignTotals, Roots};
pub use tools::{PackageTools, Tools};

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Real faults of compiled C, explained: data flow, types and the proof on memory together.
//!
//! A source is compiled by the host's gcc, run, and crashes in user mode; its signal handler saves
//! registers and memory. What the analysis has to say is the marker comment at the line of the fault.

mod judge;
mod judged;
mod leads;
mod owners;
mod support;
mod victims;

// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the code that waits for a spinlock has it already.

use unwind::Frame;

use super::lock::Wanted;
use super::lock_functions::LockSort;
use super::name;
use super::taken::Before;
use crate::claim::Claim;
use crate::diagnosis::{Interruption, Own, Spin};
use crate::scene::Scene;

/// Functions that run softirqs (`kernel/softirq.c`, 3.10 to 6.12).
const SOFTIRQS: [&str; 2] = ["__do_softirq", "handle_softirqs"];
/// Whether the function is the entry of interrupts (`arch/x86/entry/entry_64.S`, `asm/idtentry.h`, 3.10 to 6.12).
fn is_interrupt(entry: &str) -> bool {
    entry.starts_with("asm_sysvec_") || entry.ends_with("_interrupt") || entry == "ret_from_intr"
}

/// How it has it, with what shows that; `before` is where it was taken.
pub(super) fn own(
    scene: &dyn Scene,
    frames: &[Frame],
    lock: &Wanted,
    before: &Before,
) -> (Own, Option<Claim>) {
    let Before { function, line, .. } = before;
    let (function, line) = (function.clone(), line.clone());
    if let Some(by) = interruption(scene, frames, (lock.caller, before.frame)) {
        let words = format!("{} runs on top of {function}, and waits", by.words());
        let claim = Claim::new(Some(true)).text(words);
        return (Own::Interrupted { function, line, by, lock: spin(before.sort) }, Some(claim));
    }
    match (before.sort, lock.sort) {
        (LockSort::Read, LockSort::Write) => (Own::Upgraded { function, line }, None),
        _ => (Own::Path, None),
    }
}

/// What runs on top of the code that has the lock, and is the one that waits; `None` if that code called it, or if a
/// fault of its own led there.
fn interruption(
    scene: &dyn Scene,
    frames: &[Frame],
    (waits, has): (usize, usize),
) -> Option<Interruption> {
    let between = frames.get(waits..=has)?;
    for (at, frame) in between.iter().enumerate().skip(1) {
        let function = name(scene, frame);
        if SOFTIRQS.contains(&function.as_str()) && at < between.len() - 1 {
            return Some(Interruption::SoftIrq);
        }
        if frame.exception.is_some() {
            let entry = between.get(at - 1).map(|entry| name(scene, entry))?;
            return is_interrupt(&entry).then_some(Interruption::Interrupt);
        }
    }
    None
}

const fn spin(sort: LockSort) -> Spin {
    match sort {
        LockSort::Read => Spin::Read,
        LockSort::Write => Spin::Write,
        LockSort::Spin | LockSort::Sleep(_) | LockSort::Srcu => Spin::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_interrupts_are_not_those_of_faults() {
        for entry in ["asm_sysvec_apic_timer_interrupt", "asm_common_interrupt", "ret_from_intr"] {
            assert!(is_interrupt(entry), "{entry}");
        }
        assert!(!is_interrupt("asm_exc_page_fault"));
        assert!(!is_interrupt("asm_exc_nmi"));
    }
}

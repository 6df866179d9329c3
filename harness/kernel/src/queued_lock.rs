// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of queued spinlocks, and of locks for readers and writers that queue on one.
//!
//! No debug information has the meaning of their bits. Upstream's are those of
//! `include/asm-generic/qspinlock_types.h` and `kernel/locking/qspinlock_paravirt.h` (the same from 4.2 to
//! 6.12) and of `include/asm-generic/qrwlock.h`. RHEL 7 brought its own to 3.10, which keeps what modules
//! knew of ticket locks: unlocking adds two, and the number of a CPU is not counted from one.

use super::Kernel;

/// What a word says that should be a lock's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordState {
    /// Nobody has the lock.
    Free,
    /// Somebody has it.
    Taken,
    /// No lock has such a word.
    NoLock,
}

/// The word of a queued spinlock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedSpin {
    /// What it says.
    pub state: WordState,
    /// Whether one CPU is about to get it before all others.
    pub pending: bool,
    /// The CPU at the end of the queue.
    pub last: Option<u32>,
}

/// Who has a queued lock for readers and writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuedReadWrite {
    /// A writer has it.
    pub writer: bool,
    /// Readers have it, or wait for it.
    pub readers: bool,
}

/// What the bits mean.
struct Form {
    /// Values of the lowest byte if nobody has the lock, and if somebody has it.
    free: &'static [u64],
    taken: &'static [u64],
    /// Position and bits of what says that there is a queue, and the position of its last CPU's number.
    queue: (u32, u64),
    cpu: u32,
    /// The number that the first CPU has.
    first: u64,
    /// Position of the number of readers.
    readers: u32,
}

/// `_Q_LOCKED_VAL`, `_Q_SLOW_VAL`; `_Q_TAIL_OFFSET`, `_Q_TAIL_CPU_OFFSET`; `_QR_SHIFT`.
const UPSTREAM: Form =
    Form { free: &[0], taken: &[1, 3], queue: (18, 0x3fff), cpu: 18, first: 1, readers: 9 };
/// The same of 3.10.0-1160.el7, with `_Q_UNLOCKED_VAL` and `_Q_SLOW_UNLOCKED_VAL`: the queue has an odd
/// index.
const RHEL_7: Form =
    Form { free: &[0, 3, 7], taken: &[1, 5], queue: (16, 1), cpu: 19, first: 0, readers: 8 };

/// The byte that says whether a spinlock is locked, and that of one who is about to get it.
const LOCKED: u64 = 0xff;
const PENDING: u64 = 0xff00;
const PENDING_VALUES: [u64; 2] = [0, 0x100];
/// A writer has a lock for readers and writers (`_QW_LOCKED`).
const WRITER: u64 = 0xff;

impl Kernel<'_> {
    /// What the word of a queued spinlock says, 4 bytes.
    #[must_use]
    pub fn queued_spin(&self, word: u64) -> QueuedSpin {
        let most = self.possible_cpus().ok().and_then(|cpus| cpus.last().copied());
        spin(self.form(), word, most)
    }

    /// Who has a queued lock for readers and writers, by its count of 4 bytes.
    #[must_use]
    pub fn queued_read_write(&self, count: u64) -> QueuedReadWrite {
        QueuedReadWrite {
            writer: count & WRITER == WRITER,
            readers: count >> self.form().readers != 0,
        }
    }

    /// Kernels before 4.2 have ticket locks, but for RHEL 7's.
    fn form(&self) -> &'static Form {
        match self.uts() {
            Ok(uts) if uts.release.starts_with("3.10.") => &RHEL_7,
            _ => &UPSTREAM,
        }
    }
}

/// `most` is the highest number of a CPU, where it is known.
fn spin(form: &Form, word: u64, most: Option<u32>) -> QueuedSpin {
    let (position, bits) = form.queue;
    let is_queue = word >> position & bits != 0;
    let last = (word >> form.cpu).checked_sub(form.first).filter(|_| is_queue);
    let last = last.and_then(|last| u32::try_from(last).ok());
    let is_cpu = last.is_none_or(|last| most.is_none_or(|most| last <= most));
    let locked = word & LOCKED;
    let state = match (form.free.contains(&locked), form.taken.contains(&locked)) {
        _ if !is_cpu || !PENDING_VALUES.contains(&(word & PENDING)) => WordState::NoLock,
        (true, _) => WordState::Free,
        (_, true) => WordState::Taken,
        _ => WordState::NoLock,
    };
    QueuedSpin { state, pending: word & PENDING != 0, last }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(form: &Form, word: u64) -> (WordState, Option<u32>) {
        let spin = spin(form, word, Some(3));
        (spin.state, spin.last)
    }

    /// Words as `queued_spin_lock_slowpath()` makes them: `encode_tail()` of each kernel's source.
    #[test]
    fn the_words_of_both_forms_are_read() {
        assert_eq!(state(&UPSTREAM, 0), (WordState::Free, None));
        assert_eq!(state(&UPSTREAM, 1), (WordState::Taken, None));
        assert_eq!(state(&UPSTREAM, 3 << 18 | 1), (WordState::Taken, Some(2)));
        assert_eq!(state(&UPSTREAM, 4 << 18 | 1 << 16 | 3), (WordState::Taken, Some(3)));
        assert_eq!(state(&RHEL_7, 0), (WordState::Free, None));
        assert_eq!(state(&RHEL_7, 3), (WordState::Free, None));
        assert_eq!(state(&RHEL_7, 5), (WordState::Taken, None));
        assert_eq!(state(&RHEL_7, 3 << 19 | 1 << 16 | 1), (WordState::Taken, Some(3)));
        assert_eq!(state(&RHEL_7, 1 << 16 | 1), (WordState::Taken, Some(0)));
    }

    #[test]
    fn other_words_are_no_locks() {
        for form in [&UPSTREAM, &RHEL_7] {
            for word in [0x6b6b_6b6b, 0x5a5a_5a5a, 0x8001_0001, 0x0000_0401, 0x6c6c_6568] {
                assert_eq!(state(form, word).0, WordState::NoLock, "{word:#x}");
            }
        }
    }
}

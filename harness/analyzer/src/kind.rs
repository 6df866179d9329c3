// SPDX-License-Identifier: MIT OR Apache-2.0
//! What happened to the kernel, from a closed list.
//!
//! A kind names the mistake where the dump tells it, and the mere symptom where it does not: a
//! read through a pointer into a freed object is `use-after-free`, not `general-protection`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happened, from a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CrashKind {
    /// A call or jump through a NULL pointer.
    NullCall,
    /// A call or jump to an address that is no code.
    BadCall,
    /// A read through NULL plus a small offset.
    NullRead,
    /// A write through NULL plus a small offset.
    NullWrite,
    /// A read from an address that is not mapped.
    BadRead,
    /// A write to an address that is not mapped.
    BadWrite,
    /// A general protection fault (non-canonical address, bad selector) of no better known kind.
    GeneralProtection,
    /// An error code in a pointer (`ERR_PTR(-ENOENT)`) used as an address.
    ErrPtr,
    /// A pointer that was never set, used as an address.
    Uninitialized,
    /// An object used after it was freed.
    UseAfterFree,
    /// An object freed twice, or freed though nobody allocated it.
    DoubleFree,
    /// A linked list with broken links, or the links of an element that was taken out used again.
    ListCorruption,
    /// A write past the end of a heap object: a red zone or a neighbour overwritten.
    HeapOverflow,
    /// An access past the end of a mapped area or an array.
    OutOfBounds,
    /// A local buffer overflowed over the stack protector's canary.
    StackProtector,
    /// A kernel stack used up by recursion or large frames.
    StackOverflow,
    /// An address of user space used without the functions made for that.
    UserAccess,
    /// A write to read-only memory of the kernel or a module.
    WriteToReadOnly,
    /// A jump to memory that is mapped but not executable.
    ExecOfNonExecutable,
    /// A call into the code of a module that is gone.
    UnloadedCode,
    /// A call into initialization code, which is freed after use.
    FreedInitCode,
    /// Division by zero or overflow of the quotient.
    DivideError,
    /// `BUG()` or `BUG_ON()`.
    Bug,
    /// An instruction the CPU does not know.
    InvalidOpcode,
    /// `WARN()` or `WARN_ON()` where a warning is fatal (`panic_on_warn`).
    Warn,
    /// A reference counter that underflowed, overflowed or came back from zero.
    Refcount,
    /// A copy larger than its buffer, caught by the kernel's fortified string functions or its
    /// checks of copies from and to user space.
    Fortify,
    /// Undefined behaviour caught by the compiler's checks (UBSAN, control flow integrity).
    UndefinedBehavior,
    /// A CPU that ran kernel code without ever scheduling.
    SoftLockup,
    /// A CPU that ran with interrupts off for too long.
    HardLockup,
    /// An RCU grace period that did not end (`panic_on_rcu_stall`).
    RcuStall,
    /// A task that waited too long without being killable.
    HungTask,
    /// Tasks or CPUs that wait for each other, or one that waits for itself.
    Deadlock,
    /// Sleeping or scheduling where that is forbidden.
    SleepingInAtomic,
    /// A rule of locks or RCU that was broken, or an order in which they may wait for each other (lockdep).
    Lockdep,
    /// Memory that two CPUs used at once without a lock (KCSAN).
    DataRace,
    /// A page of memory whose state contradicts itself.
    BadPage,
    /// Memory that nothing leads to any more (kmemleak).
    MemoryLeak,
    /// An allocation of memory that failed, which the kernel survived.
    AllocationFailure,
    /// No memory left, and nothing that could be killed for it or may be (`panic_on_oom`).
    OutOfMemory,
    /// A crash asked for (`sysrq-c`).
    Sysrq,
    /// A non-maskable interrupt asked for the crash: from outside, or of unknown origin.
    Nmi,
    /// `panic()` called by kernel code.
    Panic,
    /// A fault within the handler of another fault.
    DoubleFault,
    /// The CPU reported a failure of the machine.
    MachineCheck,
    /// No crash: the machine ran when the dump was taken.
    Running,
    /// A kind this version does not tell apart.
    Unknown,
}

impl CrashKind {
    /// The kind as the report writes it.
    pub fn name(self) -> String {
        let json = serde_json::to_value(self).ok();
        json.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    }
}

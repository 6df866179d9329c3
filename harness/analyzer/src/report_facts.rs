// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a verdict is made of, as fields of the report.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a verdict is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Facts {
    /// What was done with the bad pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// The address that was accessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Which part of the address is bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operand: Option<BadOperand>,
    /// What the pointer is, or leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nature: Option<NatureName>,
    /// The cache of the object of the slab allocator that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
    /// Distance from the start of what the pointer leads to, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    /// Size of that, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The object that was accessed, as C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The lock that is waited for, as C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// The way through the module's code that leaves that lock taken, where nobody is seen to have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<LeftTaken>,
    /// The function of the kernel that the code at fault called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub helper: Option<String>,
    /// What keeps the verdict from being proven of which every step is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<DoubtName>,
}

/// A way through a function that ends with a lock taken, as its code tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftTaken {
    /// The function.
    pub function: String,
    /// The line of the way, or of where the lock is taken if each way leaves it so: `file:line`, in the stable form `file: text`.
    pub place: String,
    /// Whether each way does; else the others give it back.
    pub always: bool,
}

/// What was done with a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in `Use`")]
pub enum How {
    Read,
    Write,
    Change,
    Call,
}

/// Which part of a bad address is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in `Role`")]
pub enum BadOperand {
    Pointer,
    Index,
}

/// What a bad pointer is, or leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in `Nature` and `NoLock`")]
pub enum NatureName {
    Null,
    BelowNull,
    Small,
    ErrorCode,
    Poison,
    Freed,
    FreedPages,
    Misplaced,
    Outside,
    NeverWritten,
    FreeList,
    ReturnedFrame,
    NeverSet,
    StackWord,
    Text,
    TextThatOverran,
    PerCpuPointer,
    PerCpuOffset,
    UserMemory,
    UserSpace,
    UserUnmapped,
    ReadOnly,
    NotExecutable,
    VmallocGuard,
    StackGuard,
    FreedVmallocArea,
    VmallocHole,
    Beyond,
    Gone,
    NeverAllocated,
    NoLock,
}

/// What keeps a verdict from being proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "as in `Doubt`")]
pub enum DoubtName {
    Mistake,
    Step,
    Kernel,
    Link,
    Flow,
    Declaration,
}

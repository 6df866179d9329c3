// SPDX-License-Identifier: MIT OR Apache-2.0
//! A report with a value in each field, for tests.

use serde_json::{Value, json};

/// Its data.
pub(crate) fn report() -> Value {
    let frame = |index: u32, function: &str| {
        json!({"index": index, "address": "0x18", "function": function, "symbol": function,
            "offset": "0x1b", "size": "0x40", "module": "m", "file": "m.c", "line": 7,
            "source": "put(p);", "inlined": false, "trust": "orc", "arguments": ["p=0x0"], "boundary": "exception",
            "stack_bytes": 8, "repeats": {"frames": 1, "times": 0}})
    };
    json!({
        "schema_version": 1,
        "kernel": {"release": "6", "version": "v", "machine": "x86_64", "build_id": "b",
            "kaslr_offset": "0x0", "taint": "OE", "cpus": 1, "memory_bytes": 1,
            "uptime_seconds": 1, "nodename": "n"},
        "dump": {"format": "elf", "compression": "none", "level": 1, "complete": true},
        "panic": {"message": "BUG: a message"},
        "task": {"pid": 1, "comm": "sh", "cpu": 0, "address": "0x10"},
        "verdict": {
            "kind": "null-read", "title": "a title", "summary": "a summary",
            "confidence": "proven",
            "culprit": {"function": "a", "inlined_into": ["b"], "module": "m", "file": "m.c",
                "line": 7, "source": "put(p);"},
            "expression": "p->q",
            "evidence": [{"claim": "rax is 0", "confirmed": true}],
            "next": ["who sets p"]
        },
        "signature": "0123",
        "backtraces": {
            "fault": [frame(0, "a"), frame(1, "b"), frame(2, "c")],
            "panic": [frame(0, "panic"), frame(1, "d")]
        },
        "modules": [{"name": "m", "base": "0x10", "size": 1, "taint": "OE", "state": "live",
            "srcversion": "s", "build_id": "b", "debug_info": true}],
        "findings": [{"code": "A001", "severity": "info", "message": "f"}]
    })
}

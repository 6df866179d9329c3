// SPDX-License-Identifier: MIT OR Apache-2.0
//! What identifies a crash across builds and boots, and its hash.
//!
//! The *signature* is made of what the kernel's own text of a crash has too, so that a text and its
//! dump agree: what the first line says, the module, and the functions of it that follow each other on
//! the stack. No addresses, offsets, lines or versions, nothing that only debug information knows.
//! Without a module, the innermost functions of the kernel stand for it.
//!
//! The *root signature* is made of what is to be mended, as far as that is known: two crashes of one
//! defect share it, whatever the freed memory happened to hold.

use crate::formats;
use crate::outside::is_outside;
use crate::report::{Frame, Report, Trust};
use crate::symbol_name::source_name;

/// Functions of the kernel that identify a crash which no module is to blame for.
const KERNEL_FRAMES: usize = 3;

/// Lines that the signature is the hash of, for people who wonder why two differ; `stack` is the one that the
/// kernel's own text has: the crashing CPU's, or of a hung task the one that it complains of first.
#[must_use]
pub fn input(report: &Report, stack: &[Frame]) -> String {
    // A verdict about an earlier report is about the crash that a text has of it.
    let main = report.earlier.iter().find(|earlier| earlier.main);
    let headline = main.map(|earlier| earlier.headline.as_str());
    let headline = headline.or(report.panic.message.as_deref()).map(formats::class);
    let mut lines = vec![format!("crash {}", headline.unwrap_or_else(|| "unknown".to_owned()))];
    let stack = on_stack(stack);
    match stack.iter().find_map(|frame| frame.module.as_deref().filter(|it| is_own(report, it))) {
        Some(module) => {
            lines.push(format!("module {module}"));
            lines.extend(of_module(&stack, module));
        }
        None => lines.extend(of_kernel(&stack)),
    }
    lines.join("\n") + "\n"
}

/// Lines that the root signature is the hash of; `None` where no root is known.
#[must_use]
pub fn root_input(report: &Report) -> Option<String> {
    let verdict = &report.verdict;
    let culprit = verdict.culprit.as_ref()?;
    let (module, function) = (culprit.module.as_ref()?, culprit.function.as_ref()?);
    let expression = verdict.expression.as_ref()?;
    Some(format!("module {module}\nfunction {function}\nexpression {expression}\n"))
}

/// Whether the module is from outside of the kernel's tree, by the letters of its taint.
fn is_own(report: &Report, module: &str) -> bool {
    let loaded = report.modules.iter().find(|loaded| loaded.name == module);
    let taint = loaded.and_then(|loaded| loaded.taint.as_deref());
    taint.is_some_and(is_outside)
}

/// Frames that the kernel's own trace has: not those that were inlined, nor those of functions that
/// left none.
fn on_stack(fault: &[Frame]) -> Vec<&Frame> {
    fault.iter().filter(|frame| !frame.inlined && frame.trust != Trust::Jumped).collect()
}

/// The functions of the module that follow each other on the stack.
fn of_module(stack: &[&Frame], module: &str) -> Vec<String> {
    let of_module = |frame: &&&Frame| frame.module.as_deref() == Some(module);
    let run = stack.iter().skip_while(|frame| !of_module(frame)).take_while(of_module);
    run.filter_map(|frame| line(frame)).collect()
}

/// The innermost functions of the kernel.
fn of_kernel(stack: &[&Frame]) -> Vec<String> {
    let kernel = stack.iter().filter(|frame| frame.module.is_none());
    kernel.filter_map(|frame| line(frame)).take(KERNEL_FRAMES).collect()
}

fn line(frame: &Frame) -> Option<String> {
    let name = frame.symbol.as_deref().or(frame.function.as_deref())?;
    Some(format!("frame {}", source_name(name)))
}

/// The signature of those lines.
#[must_use]
pub fn signature(input: &str) -> String {
    hash(input)
}

/// The root signature; `None` where no root is known.
#[must_use]
pub fn root_signature(report: &Report) -> Option<String> {
    root_input(report).map(|input| hash(&input))
}

/// 64 bits of FNV-1a, in hex: parameters from draft-eastlake-fnv. Not a defence against anybody; it
/// only has to be the same everywhere and always.
fn hash(input: &str) -> String {
    let hash = input.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input_of(report: &Report) -> String {
        input(report, &report.backtraces.fault)
    }

    fn signature_of(report: &Report) -> String {
        signature(&input_of(report))
    }

    fn report(message: &str, fault: serde_json::Value) -> Report {
        let verdict = serde_json::json!({
            "kind": "null-call", "title": "", "summary": "", "confidence": "proven",
            "culprit": {"function": "__pad_exec", "inlined_into": [], "module": "process",
                        "file": null, "line": 7},
            "expression": "__akfs_ops->get_fhash", "evidence": [],
        });
        serde_json::from_value(serde_json::json!({
            "schema_version": 1, "kernel": {}, "dump": {}, "panic": {"message": message},
            "task": null, "verdict": verdict, "signature": null,
            "backtraces": {"fault": fault, "panic": []},
            "modules": [{"name": "process", "taint": "OE", "debug_info": true},
                        {"name": "loop", "taint": null, "debug_info": false}],
            "findings": [],
        }))
        .unwrap()
    }

    fn frame(
        function: &str,
        module: Option<&str>,
        inlined: bool,
        trust: &str,
    ) -> serde_json::Value {
        serde_json::json!({"index": 0, "function": function, "module": module, "inlined": inlined,
                           "trust": trust, "arguments": []})
    }

    #[test]
    fn the_signature_is_made_of_what_the_kernels_text_has() {
        let fault = serde_json::json!([
            frame("read_pages", Some("loop"), false, "exact"),
            frame("__pad_exec", Some("process"), true, "orc"),
            frame("process_bprm_put.cold", Some("process"), false, "orc"),
            frame("left_no_frame", Some("process"), false, "jumped"),
            frame("trace_hook", Some("process"), false, "orc"),
            frame("bprm_execve", None, false, "orc"),
        ]);
        let report =
            report("BUG: kernel NULL pointer dereference, address: 0000000000000000", fault);
        let lines =
            "crash null-pointer\nmodule process\nframe process_bprm_put\nframe trace_hook\n";
        assert_eq!(input_of(&report), lines);
        assert_eq!(signature_of(&report).len(), 16);
        let root = "module process\nfunction __pad_exec\nexpression __akfs_ops->get_fhash\n";
        assert_eq!(root_input(&report).as_deref(), Some(root));
    }

    #[test]
    fn two_assertions_behind_one_wrapper_differ() {
        let fault = serde_json::json!([frame("fail", Some("process"), false, "orc")]);
        let of = |words: &str| {
            let message = format!("Kernel panic - not syncing: {words}");
            signature_of(&report(&message, fault.clone()))
        };
        assert_eq!(of("ASSERT: x->a > 0 at main.c (7)"), of("ASSERT: x->a > 0 at main.c (9)"));
        assert_ne!(of("ASSERT: x->a > 0 at main.c (7)"), of("ASSERT: x->b > 0 at main.c (7)"));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What identifies a crash across builds and boots, and its hash.
//!
//! Made of the kind, the expression, the culprit and the source's names of the functions of the
//! culprit's module that led there, whether inlined or not, so that it survives another boot, an
//! update of the kernel, and changes elsewhere in the module. No addresses, offsets, lines or
//! versions. Without a module, the innermost functions of the kernel stand for it.

use crate::blame::is_kernel_header;
use crate::report::{Frame, Verdict};
use crate::symbol_name::source_name;

/// Functions of the kernel that identify a crash which no module is to blame for.
const KERNEL_FRAMES: usize = 3;

/// Lines that the signature is the hash of, for people who wonder why two differ.
pub fn input(verdict: &Verdict, fault: &[Frame]) -> String {
    let mut lines = vec![format!("kind {}", verdict.kind.name())];
    lines.extend(verdict.expression.iter().map(|expression| format!("expression {expression}")));
    let culprit = verdict.culprit.as_ref();
    if let Some(function) = culprit.and_then(|culprit| culprit.function.as_deref()) {
        lines.push(format!("culprit {function}"));
    }
    match culprit.and_then(|culprit| culprit.module.as_deref()) {
        Some(module) => {
            lines.push(format!("module {module}"));
            lines.extend(of_module(fault, module));
        }
        None => lines.extend(of_kernel(fault)),
    }
    lines.join("\n") + "\n"
}

/// The functions of the module that follow each other on the stack.
fn of_module(fault: &[Frame], module: &str) -> Vec<String> {
    let of_module = |frame: &&Frame| frame.module.as_deref() == Some(module);
    let run = fault.iter().skip_while(|frame| !of_module(frame)).take_while(of_module);
    let own = run.filter(|frame| !frame.file.as_deref().is_some_and(is_kernel_header));
    let names = own.filter_map(|frame| frame.function.as_deref());
    names.map(|name| format!("frame {}", source_name(name))).collect()
}

/// The innermost functions of the kernel.
fn of_kernel(fault: &[Frame]) -> Vec<String> {
    let names = fault.iter().filter(|frame| !frame.inlined && frame.module.is_none());
    let names = names.filter_map(|frame| frame.function.as_deref());
    names.take(KERNEL_FRAMES).map(|name| format!("frame {}", source_name(name))).collect()
}

/// The signature: 64 bits of FNV-1a over [`input`], in hex.
pub fn signature(verdict: &Verdict, fault: &[Frame]) -> String {
    // FNV-1a, 64 bits: parameters from draft-eastlake-fnv. Not a defence against anybody; it
    // only has to be the same everywhere and always.
    let hash = input(verdict, fault).bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Confidence, CrashKind, Culprit};

    fn frame(function: &str, module: Option<&str>, inlined: bool) -> Frame {
        Frame {
            function: Some(function.to_owned()),
            module: module.map(str::to_owned),
            inlined,
            ..Frame::default()
        }
    }

    #[test]
    fn the_signature_is_made_of_names_only() {
        let verdict = Verdict {
            kind: CrashKind::NullCall,
            title: String::new(),
            summary: String::new(),
            confidence: Confidence::Proven,
            culprit: Some(Culprit {
                function: Some("__pad_exec".to_owned()),
                module: Some("process".to_owned()),
                ..Culprit::default()
            }),
            expression: Some("__akfs_ops->get_fhash".to_owned()),
            evidence: Vec::new(),
            next: Vec::new(),
        };
        let fault = [
            Frame::default(),
            frame("__pad_exec", Some("process"), true),
            frame("process_bprm_put.cold", Some("process"), false),
            frame("trace_hook", Some("process"), false),
            frame("search_binary_handler", None, true),
            frame("bprm_execve", None, false),
            frame("do_execve", None, false),
        ];
        assert_eq!(
            input(&verdict, &fault),
            "kind null-call\nexpression __akfs_ops->get_fhash\nculprit __pad_exec\n\
             module process\nframe __pad_exec\nframe process_bprm_put\nframe trace_hook\n"
        );
        assert_eq!(signature(&verdict, &fault).len(), 16);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What identifies a crash across builds and boots, and its hash.
//!
//! Made of the kind, the expression, the culprit and the names of the innermost frames up to the
//! first one outside of the culprit's module: no addresses, offsets, lines or versions.

use crate::report::{Frame, Verdict};

/// Lines that the signature is the hash of, for people who wonder why two differ.
pub fn input(verdict: &Verdict, fault: &[Frame]) -> String {
    let mut lines = vec![format!("kind {:?}", verdict.kind)];
    lines.extend(verdict.expression.iter().map(|expression| format!("expression {expression}")));
    let culprit = verdict.culprit.as_ref();
    if let Some(function) = culprit.and_then(|culprit| culprit.function.as_deref()) {
        lines.push(format!("culprit {function}"));
    }
    let module = culprit.and_then(|culprit| culprit.module.as_deref());
    for frame in fault.iter().filter(|frame| !frame.inlined) {
        let Some(function) = frame.function.as_deref() else { continue };
        let of = frame.module.as_deref();
        let place = of.map(|module| format!(" [{module}]")).unwrap_or_default();
        lines.push(format!("frame {}{place}", source_name(function)));
        if of.is_none() || of != module {
            break;
        }
    }
    lines.join("\n") + "\n"
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

/// The source's name of a function whose symbol the compiler gave a suffix (`.isra.0`, `.cold`).
pub fn source_name(symbol: &str) -> &str {
    match symbol.split_once('.') {
        Some((name, _)) if !name.is_empty() => name,
        _ => symbol,
    }
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
        };
        let fault = [
            Frame::default(),
            frame("__pad_exec", Some("process"), true),
            frame("process_bprm_put.cold", Some("process"), false),
            frame("search_binary_handler", None, true),
            frame("bprm_execve", None, false),
            frame("do_execve", None, false),
        ];
        assert_eq!(
            input(&verdict, &fault),
            "kind NullCall\nexpression __akfs_ops->get_fhash\nculprit __pad_exec\n\
             frame process_bprm_put [process]\nframe bprm_execve\n"
        );
        assert_eq!(signature(&verdict, &fault).len(), 16);
    }
}

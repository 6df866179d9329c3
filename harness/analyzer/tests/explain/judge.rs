// SPDX-License-Identifier: MIT OR Apache-2.0
//! Crashes of a source's functions, judged: which line is to blame, what is bad there, and how sure that is.

use crate::support::Victims;
use analyzer::diagnosis::{Diagnosis, Doubt, Nature};
use analyzer::fault::examine;
use analyzer::report::{Confidence, CrashKind};

/// Optimised as the kernel is; a loop that looks like `strlen` stays one.
const FLAGS: [&str; 2] = ["-O2", "-fno-tree-loop-distribute-patterns"];

/// A source beside this one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source(pub(crate) &'static str);

impl Source {
    /// The crash of a function of the source; `marked` is the function with the line to blame.
    pub(crate) fn judged(self, name: &str, marked: &str) -> Diagnosis {
        let victims = Victims::compile_file(self.0, &FLAGS, "mod_");
        let crash = victims.crash(name);
        let scene = victims.scene(&crash);
        // The processor names no address of a general protection fault.
        let address = Some(crash.address).filter(|address| *address != 0);
        let diagnosis = examine(&scene, &scene.walked(), address).expect("a diagnosis");
        let marked = victims.marked(marked);
        let pc = diagnosis.pc.expect("a place").for_lookup();
        assert_eq!(scene.line(pc), Some(marked.line), "{name}: {diagnosis:#?}");
        if marked.expression != "-" && diagnosis.confidence() != Confidence::Unknown {
            let expression = diagnosis.expression().map(ToString::to_string);
            assert_eq!(expression, Some(marked.expression), "{name}: {diagnosis:#?}");
        }
        diagnosis
    }

    /// The crash of a function with the line to blame, which has to be proven.
    pub(crate) fn proven(self, name: &str, kind: CrashKind) -> Diagnosis {
        let diagnosis = self.judged(name, name);
        assert_eq!(diagnosis.kind(), kind, "{name}: {diagnosis:#?}");
        assert_eq!(diagnosis.confidence(), Confidence::Proven, "{name}: {diagnosis:#?}");
        diagnosis
    }

    /// The crash of a function with the line to blame, for which the doubt is left.
    pub(crate) fn doubted(self, name: &str, kind: CrashKind, doubt: Doubt) -> Diagnosis {
        let diagnosis = self.judged(name, name);
        assert_eq!(diagnosis.kind(), kind, "{name}: {diagnosis:#?}");
        assert_eq!(diagnosis.doubt(), Some(doubt), "{name}: {diagnosis:#?}");
        assert_eq!(diagnosis.confidence(), Confidence::Likely, "{name}: {diagnosis:#?}");
        diagnosis
    }
}

/// What the bad pointer is.
pub(crate) fn nature(diagnosis: &Diagnosis) -> Option<&Nature> {
    diagnosis.pointer().expect("a pointer").nature.as_ref()
}

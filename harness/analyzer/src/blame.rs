// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whose line it is.
//!
//! A module that hands a bad pointer to `memcpy()` makes the kernel fault, and a list that it
//! corrupted is noticed in `list_add()`, which a header of the kernel defines. What people have to
//! look at is the module's own line in both cases.

use debuginfo::SourceFrame;
use unwind::{Frame, Pc, Trust};

use crate::diagnosis::Blame;
use crate::frame_names::FrameNames;
use crate::kernel_header::is_kernel_header;
use crate::link::{Link, link};
use crate::report::Culprit;
use crate::scene::Scene;
use crate::source_line::SourceLine;
use crate::symbol_name::source_name;

/// The function of an inline chain whose line people have to look at: the innermost one that no
/// header of the kernel defines.
fn own(chain: &[SourceFrame]) -> usize {
    let is_own = |source: &SourceFrame| {
        source.file.as_deref().is_some_and(|file| !is_kernel_header(file)) && source.line.is_some()
    };
    chain.iter().position(is_own).unwrap_or(0)
}

/// The code at fault: function, what it was inlined into, file and line at the program counter.
pub fn culprit(names: &dyn FrameNames, pc: Pc) -> Option<Culprit> {
    let lookup = pc.for_lookup();
    let code = names.code_name(lookup);
    let image = names.image_at(lookup);
    let chain = image.and_then(|image| image.source(lookup).found());
    let module = code.as_ref().and_then(|code| code.module.clone());
    let symbol = code.map(|code| source_name(&code.symbol).to_owned());
    let chain = chain.unwrap_or_default();
    let Some(first) = chain.get(own(&chain)) else {
        let of = |function| Culprit { function: Some(function), module, ..Culprit::default() };
        return symbol.map(of);
    };
    // A part of a function that is seldom run is inlined into the function, as the debug information has it.
    let outer = chain.iter().skip(own(&chain) + 1);
    let outer = outer.filter(|source| source.function != first.function);
    let line = SourceLine::of_frame(image.filter(|_| module.is_some()), first);
    Some(Culprit {
        function: first.function.clone().or(symbol),
        inlined_into: outer.filter_map(|source| source.function.clone()).collect(),
        module,
        file: first.file.clone(),
        line: first.line,
        source: line.and_then(|line| line.text),
    })
}

/// How the frame to blame, `frames[guilty]`, is tied to what happened in `frames[from]`: by the
/// calls on the way.
pub(crate) fn tied(scene: &dyn Scene, frames: &[Frame], from: usize, guilty: usize) -> Blame {
    let pair = |at: usize| frames.get(at).zip(frames.get(at + 1));
    let is_called = |(frame, caller): (&Frame, &Frame)| link(scene, frame, caller) == Link::Called;
    let outside = frames.get(guilty).is_some_and(|frame| scene.is_outside(frame.pc.for_lookup()));
    let linked = (from..guilty).all(|at| pair(at).is_some_and(is_called));
    Blame { outside, linked, ..Blame::default() }
}

/// Position of the frame to blame for what happened in `frames[from]`: the innermost one of a
/// module from outside of the kernel's tree, within what ran before anything was interrupted;
/// `from` itself if there is none.
///
/// A frame that may be stale accuses nobody.
pub fn blamed(scene: &dyn Scene, frames: &[Frame], from: usize) -> usize {
    let same = |(position, frame): &(usize, &Frame)| *position == from || frame.exception.is_none();
    frames
        .iter()
        .enumerate()
        .skip(from)
        .take_while(same)
        .find(|(_, frame)| frame.trust != Trust::Scan && scene.is_outside(frame.pc.for_lookup()))
        .map_or(from, |(position, _)| position)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(function: &str, file: &str) -> SourceFrame {
        SourceFrame {
            function: Some(function.to_owned()),
            file: Some(file.to_owned()),
            line: Some(7),
            column: None,
            inlined: false,
        }
    }

    #[test]
    fn a_line_of_the_kernels_header_is_not_the_modules_own() {
        let chain = [
            source("__list_add", "/usr/src/linux-headers-6.1.0-56-common/include/linux/list.h"),
            source("list_add", "./include/linux/list.h"),
            source("ring_join", "ring/include/ring_list.h"),
            source("ring_open", "ring/main.c"),
        ];
        assert_eq!(own(&chain), 2);
        assert_eq!(own(&chain[..1]), 0);
        assert!(!is_kernel_header("myinclude/linux/x.h"));
    }
}

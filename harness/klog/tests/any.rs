// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whatever a text is, reading it ends.

use klog::{Body, MAX_LINE, Place, cpu_line, die_line, lines, machine};
use proptest::prelude::*;

/// Pieces that the lines of reports are made of, and others.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("[    1.234567] ".to_owned()),
        Just("<4>".to_owned()),
        Just("4,1,2,-;".to_owned()),
        Just("Nov 29 10:11:12 host kernel: ".to_owned()),
        Just("RIP: 0010:".to_owned()),
        Just("Code: ".to_owned()),
        Just("Modules linked in:".to_owned()),
        Just("CPU: 1 PID: 2 Comm: ".to_owned()),
        Just("f+0x1/0x2 [m]".to_owned()),
        Just(" [<ffffffff81000000>] ? ".to_owned()),
        Just("RAX: ".to_owned()),
        Just("(null)".to_owned()),
        Just("\n".to_owned()),
        "[ -~]{0,12}",
        "\\PC{0,4}",
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_to_its_end(pieces in proptest::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        for line in lines(text.as_bytes()) {
            prop_assert!(line.text.len() <= MAX_LINE * 3);
            let _body = Body::parse(&line.text);
            let _told = (cpu_line(&line.text), die_line(&line.text), machine(&line.text));
            let _place = Place::in_words(&line.text);
        }
    }

    #[test]
    fn any_bytes_are_read_to_their_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let count = lines(&bytes).inspect(|line| { let _body = Body::parse(&line.text); }).count();
        prop_assert!(count <= bytes.len() + 1);
    }
}

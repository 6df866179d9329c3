// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's symbol table as `scripts/kallsyms.c` writes it.

/// The tables one behind the other, each at a multiple of eight: `head` (addresses, or offsets and
/// their base), number, names, markers of `width` bytes, tokens, places of tokens. Each byte is a
/// token that stands for itself, but 1 for `do_`.
///
/// # Panics
/// With more names than a test has.
#[must_use]
pub fn tables(head: &[u8], names: &[Vec<u8>], width: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut put = |piece: &[u8]| {
        bytes.extend(piece);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
    };
    put(head);
    put(&(names.len() as u64).to_le_bytes()[..width]);
    put(&names.concat());
    let markers = (0..names.len()).step_by(256).flat_map(|first| {
        let before: usize = names[..first].iter().map(Vec::len).sum();
        before.to_le_bytes().into_iter().take(width)
    });
    put(&markers.collect::<Vec<u8>>());
    let tokens: Vec<Vec<u8>> = (0..=255_u8)
        .map(|byte| match byte {
            0 => b"\0".to_vec(),
            1 => b"do_\0".to_vec(),
            other => vec![other, 0],
        })
        .collect();
    put(&tokens.concat());
    let mut place = 0_u16;
    for token in &tokens {
        bytes.extend(place.to_le_bytes());
        place += u16::try_from(token.len()).expect("short");
    }
    bytes
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! makedumpfile's flattened form.

use crate::bytes::wide;

/// The record that ends a flattened file.
pub const END_MARK: [u8; 16] = [0xff; 16];

/// A flattened file with the file in records of `chunk` bytes, in their order.
#[must_use]
pub fn flatten(file: &[u8], chunk: usize) -> Vec<u8> {
    let chunks = file.chunks(chunk).enumerate();
    let records: Vec<(u64, &[u8])> = chunks.map(|(n, data)| (wide(n * chunk), data)).collect();
    let mut stream = flatten_records(&records);
    stream.extend(END_MARK);
    stream
}

/// A flattened file of these records (offset in the file, bytes), without its end mark.
#[must_use]
pub fn flatten_records(records: &[(u64, &[u8])]) -> Vec<u8> {
    let mut stream = b"makedumpfile\0\0\0\0".to_vec();
    stream.extend(1_u64.to_be_bytes());
    stream.extend(1_u64.to_be_bytes());
    stream.resize(4096, 0);
    for (offset, data) in records {
        stream.extend(offset.to_be_bytes());
        stream.extend(wide(data.len()).to_be_bytes());
        stream.extend(*data);
    }
    stream
}

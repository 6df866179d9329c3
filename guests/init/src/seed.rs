// SPDX-License-Identifier: MIT OR Apache-2.0
//! Fresh random numbers for a kernel that is a copy.

use std::fs::File;
use std::os::fd::AsFd as _;

use crate::syscall;

const RANDOM: &str = "/dev/urandom";

/// Adds bytes, given in hexadecimal digits, to the kernel's pool and makes it use them at once.
///
/// # Errors
/// In words: they are no digits, or the kernel does not take them.
pub(crate) fn seed(digits: &str) -> Result<(), String> {
    let bytes = bytes(digits).ok_or("the seed is not hexadecimal")?;
    let device = File::options()
        .write(true)
        .open(RANDOM)
        .map_err(|error| format!("cannot open {RANDOM}: {error}"))?;
    syscall::add_entropy(device.as_fd(), &bytes)
        .map_err(|error| format!("cannot add to {RANDOM}: {error}"))?;
    // Kernels before 4.17 have no such call: they reseed by themselves, in their own time.
    let _ = syscall::reseed(device.as_fd());
    Ok(())
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_pairs() {
        assert_eq!(bytes("00ff7a"), Some(vec![0, 255, 0x7a]));
        assert_eq!(bytes(""), Some(vec![]));
        assert_eq!(bytes("0g"), None);
        assert!(seed("xx").unwrap_err().contains("hexadecimal"));
    }
}

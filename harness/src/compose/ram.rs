// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guest's RAM in a file of this process.

use std::fs::File;
use std::io;

use rustix::fs::MemfdFlags;

/// Bytes of RAM below the hole for devices that ends at 4 GiB, of QEMU's machine `pc`
/// (`pc_init1` in its `hw/i386/pc_piix.c`): all of it up to 3.5 GiB, else 3 GiB.
const LOW_MOST: u64 = 0xe000_0000;
const LOW_SPLIT: u64 = 0xc000_0000;
/// First address of the RAM above the hole.
const HIGH: u64 = 1 << 32;

/// RAM in a file without a name: it is gone when the last process that has it open ends.
#[derive(Debug)]
pub struct Ram {
    /// The file.
    pub file: File,
    /// Bytes of RAM.
    pub bytes: u64,
}

impl Ram {
    /// RAM in which nothing is written. It takes room as it is written to.
    ///
    /// # Errors
    /// The system refuses.
    pub fn create(bytes: u64) -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("guest-ram", MemfdFlags::CLOEXEC)?);
        file.set_len(bytes)?;
        Ok(Self { file, bytes })
    }
}

/// Where a physical address is in the file, and how many bytes follow it there in one piece.
pub(super) fn place(ram_bytes: u64, address: u64) -> Option<(u64, u64)> {
    let low = if ram_bytes >= LOW_MOST { LOW_SPLIT } else { ram_bytes };
    let (offset, end) = match address.checked_sub(HIGH) {
        Some(above) => (low.checked_add(above)?, ram_bytes),
        None => (address, low),
    };
    let left = end.checked_sub(offset)?;
    (left > 0).then_some((offset, left))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ram_continues_above_the_hole_for_devices() {
        let gib = |count: u64| count << 30;
        assert_eq!(place(gib(1), 0x1000), Some((0x1000, gib(1) - 0x1000)));
        assert_eq!(place(gib(1), gib(1)), None);
        assert_eq!(place(gib(16), gib(3) - 1), Some((gib(3) - 1, 1)));
        assert_eq!(place(gib(16), gib(3)), None, "the hole");
        assert_eq!(place(gib(16), gib(4)), Some((gib(3), gib(13))));
        assert_eq!(place(gib(16), gib(17)), None);
        assert_eq!(place(gib(1), u64::MAX), None);
    }
}

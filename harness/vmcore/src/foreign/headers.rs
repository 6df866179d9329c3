// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells files by what is at fixed places in them.
//!
//! The names of the headers stand with each entry: crash(8) reads several of these formats and has
//! their descriptions (`sadump.h`, `lkcd_*.c`, `vmware_vmss.h`, `xendump.h`); the others are in the
//! sources of the program that writes them.

use super::kinds::{Archive, Disk, Foreign, Packed, Sadump};
use crate::read_at::fetch_available;
use crate::{ReadAt, le};

/// Bytes looked at, at once, from the beginning: up to the signature of swap space and what
/// follows a header of 4096 bytes.
const LOOKED_AT: u64 = 8192;
/// Bytes of a page, which a dump that was not written has as zeros.
const PAGE: usize = 4096;

/// Signatures by where they are.
static SIGNATURES: [(usize, &[u8], Foreign); 65] = [
    // `SIG` of diskdump, crash's `diskdump.h`.
    (0, b"DISKDUMP", Foreign::Diskdump),
    // `QEMU_VM_FILE_MAGIC`, QEMU's `migration/savevm.h`, big-endian.
    (0, b"QEVM", Foreign::QemuState),
    // `QEMU_SAVE_MAGIC` and `QEMU_SAVE_PARTIAL`, libvirt's `src/qemu/qemu_saveimage.h`.
    (0, b"LibvirtQemudSave", Foreign::LibvirtSave),
    (0, b"LibvirtQemudPart", Foreign::LibvirtSave),
    // `CPTDUMP_*_MAGIC_NUMBER`, crash's `vmware_vmss.h`.
    (0, &0xbed0_bed0_u32.to_le_bytes(), Foreign::VmwareState),
    (0, &0xbed2_bed2_u32.to_le_bytes(), Foreign::VmwareState),
    (0, &0xbed3_bed3_u32.to_le_bytes(), Foreign::VmwareState),
    (0, &0xbad1_bad1_u32.to_le_bytes(), Foreign::VmwareState),
    (0, &0xbad2_bad2_u32.to_le_bytes(), Foreign::VmwareState),
    // `SSMFILEHDR_MAGIC_BASE`, VirtualBox's `SSM.cpp`.
    (0, b"\x7fVirtualBox SavedState ", Foreign::VirtualBoxState),
    // `XC_CORE_MAGIC` and `XC_CORE_MAGIC_HVM`, Xen's `xenctrl.h`: cores before they were ELF.
    (0, &0xf00f_ebed_u32.to_le_bytes(), Foreign::XenCore),
    (0, &0xf00f_ebee_u32.to_le_bytes(), Foreign::XenCore),
    // `savefileheader_magic` of xl, that of libvirt's libxl driver, `xend`'s; the streams inside
    // (Xen's `libxl-migration-stream` and `libxc-migration-stream`: marker of ones, then `XENF`).
    (0, b"Xen saved domain, xl format", Foreign::XenSave),
    (0, b"libvirt-xml\n \0 \r", Foreign::XenSave),
    (0, b"LinuxGuestRecord", Foreign::XenSave),
    (0, b"LibxlFmt", Foreign::XenSave),
    (0, b"\xff\xff\xff\xff\xff\xff\xff\xffXENF", Foreign::XenSave),
    // `LIME_MAGIC`, LiME's `lime.h`; that of AVML's compressed form, its `src/image.rs`.
    (0, &0x4c69_4d45_u32.to_le_bytes(), Foreign::Lime),
    (0, &0x4c4d_5641_u32.to_le_bytes(), Foreign::Avml),
    // `DUMP_HEADER` and `MINIDUMP_HEADER` of Microsoft's documentation.
    (0, b"PAGEDUMP", Foreign::WindowsKernel),
    (0, b"PAGEDU64", Foreign::WindowsKernel),
    (0, b"MDMP", Foreign::WindowsMinidump),
    // `HIBERNATE_SIG`, the kernel's `kernel/power/swap.c` (the second one in 2.6.37 to 2.6.39);
    // that of uswsusp; swap space by mkswap(8).
    (4086, b"S1SUSPEND\0", Foreign::Hibernation),
    (4086, b"LINHIB0001", Foreign::Hibernation),
    (4086, b"ULSUSPEND\0", Foreign::Hibernation),
    (4086, b"SWAPSPACE2", Foreign::Swap),
    (4086, b"SWAP-SPACE", Foreign::Swap),
    // Disks: QEMU's `block/qcow2.h`, `qed.h`, `vmdk.c`, `vdi.c`, `vhdx.h`, `vpc.c`, `parallels.c`.
    (0, b"QFI\xfb", Foreign::Disk(Disk::Qcow)),
    (0, b"QED\0", Foreign::Disk(Disk::Qed)),
    (0, b"KDMV", Foreign::Disk(Disk::Vmdk)),
    (0, b"COWD", Foreign::Disk(Disk::Vmdk)),
    (0, b"# Disk DescriptorFile", Foreign::Disk(Disk::Vmdk)),
    (64, &0xbeda_107f_u32.to_le_bytes(), Foreign::Disk(Disk::Vdi)),
    (0, b"vhdxfile", Foreign::Disk(Disk::Vhdx)),
    (0, b"conectix", Foreign::Disk(Disk::Vhd)),
    (0, b"WithoutFreeSpace", Foreign::Disk(Disk::Parallels)),
    (0, b"WithouFreSpacExt", Foreign::Disk(Disk::Parallels)),
    // `Documentation/arch/x86/boot.rst`. Such a file also has a boot sector's last two bytes.
    (0x202, b"HdrS", Foreign::BootImage),
    // Partition tables and file systems: the UEFI specification, the kernel's
    // `include/uapi/linux/magic.h`, LVM2's `label.h`, cryptsetup's `luks1/luks.h`.
    (512, b"EFI PART", Foreign::Disk(Disk::Raw)),
    (0, b"XFSB", Foreign::Disk(Disk::Raw)),
    (0, b"hsqs", Foreign::Disk(Disk::Raw)),
    (0, b"LUKS\xba\xbe", Foreign::Disk(Disk::Raw)),
    (512, b"LABELONE", Foreign::Disk(Disk::Raw)),
    (510, b"\x55\xaa", Foreign::Disk(Disk::Raw)),
    // Compressed files: RFC 1952, the `.xz` format, RFC 8878, bzip2(1), the formats of LZ4 (the
    // second one is that of a kernel's initramfs), lzop's `lzop.c`, compress(1).
    (0, b"\x1f\x8b", Foreign::Packed(Packed::Gzip)),
    (0, b"\xfd7zXZ\0", Foreign::Packed(Packed::Xz)),
    (0, b"\x28\xb5\x2f\xfd", Foreign::Packed(Packed::Zstd)),
    (0, b"BZh", Foreign::Packed(Packed::Bzip2)),
    (0, b"\x04\x22\x4d\x18", Foreign::Packed(Packed::Lz4)),
    (0, b"\x02\x21\x4c\x18", Foreign::Packed(Packed::Lz4)),
    (0, b"\x89LZO\0\r\n\x1a\n", Foreign::Packed(Packed::Lzop)),
    (0, b"\x1f\x9d", Foreign::Packed(Packed::Compress)),
    // Archives: pax(1), cpio(5), PKWARE's APPNOTE (an empty one begins with its end), 7-Zip's
    // `7zFormat.txt`, RAR's technote, rpm's `lib/rpmlead.c`, deb(5), ar(5).
    (257, b"ustar", Foreign::Archive(Archive::Tar)),
    (0, b"070701", Foreign::Archive(Archive::Cpio)),
    (0, b"070702", Foreign::Archive(Archive::Cpio)),
    (0, b"070707", Foreign::Archive(Archive::Cpio)),
    (0, b"\xc7\x71", Foreign::Archive(Archive::Cpio)),
    (0, b"PK\x03\x04", Foreign::Archive(Archive::Zip)),
    (0, b"PK\x05\x06", Foreign::Archive(Archive::Zip)),
    (0, b"7z\xbc\xaf\x27\x1c", Foreign::Archive(Archive::SevenZip)),
    (0, b"Rar!\x1a\x07", Foreign::Archive(Archive::Rar)),
    (0, b"\xed\xab\xee\xdb", Foreign::Archive(Archive::Rpm)),
    (0, b"!<arch>\ndebian", Foreign::Archive(Archive::Deb)),
    (0, b"!<arch>\n", Foreign::Archive(Archive::Ar)),
    // The magic of ext2 and its followers, with `s_state` that it is sound
    // (`fs/ext4/ext4.h`); last, since it is short.
    (1080, b"\x53\xef\x01\0", Foreign::Disk(Disk::Raw)),
];

/// `DUMP_MAGIC_NUMBER`, `DUMP_MAGIC_LIVE` and `DUMP_MAGIC_S390SA` of LKCD's `dump.h`, in the
/// order of the machine that crashed.
const LKCD: [u64; 3] = [0xa819_0173_618f_23ed, 0xa819_0173_618f_23cd, 0xa819_0173_618f_23fd];

/// `SADUMP_SIGNATURE1` and `SADUMP_SIGNATURE2`, crash's `sadump.h`.
const SADUMP: &[u8; 8] = b"sadump\0\0";
/// `set_disk_set` in `struct sadump_part_header`: 0 if there is one disk.
const SADUMP_DISK_SET: usize = 152;

/// What a file is by its first bytes, `None` if that is not known.
pub(crate) fn of_headers(file: &dyn ReadAt) -> Option<Foreign> {
    if file.is_empty() {
        return Some(Foreign::Empty);
    }
    let start = fetch_available(file, 0, LOOKED_AT).ok()?;
    let has = |at: usize, what: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(what));
    let signed = || {
        let mut all = SIGNATURES.iter();
        all.find(|(at, what, _)| has(*at, what)).map(|(_, _, foreign)| foreign.clone())
    };
    sadump(&start).or_else(|| lkcd(&start)).or_else(signed).or_else(|| contents(&start))
}

/// sadump's three layouts: the header of the partition is first, or behind that of a medium.
fn sadump(start: &[u8]) -> Option<Foreign> {
    if start.starts_with(SADUMP) {
        let is_set = le::u32(start, SADUMP_DISK_SET).is_some_and(|set| set != 0);
        return Some(Foreign::Sadump(if is_set { Sadump::DiskSet } else { Sadump::Single }));
    }
    let behind = start.get(PAGE..)?;
    behind.starts_with(SADUMP).then_some(Foreign::Sadump(Sadump::MediaBackup))
}

fn lkcd(start: &[u8]) -> Option<Foreign> {
    let number = le::u64(start, 0)?;
    (LKCD.contains(&number) || LKCD.contains(&number.swap_bytes())).then_some(Foreign::Lkcd)
}

/// What has no signature.
fn contents(start: &[u8]) -> Option<Foreign> {
    let page = start.get(..PAGE).unwrap_or(start);
    if page.iter().all(|byte| *byte == 0) {
        return Some(Foreign::Zeros);
    }
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..);
    let is_utf8 = match std::str::from_utf8(page) {
        Ok(_) => true,
        // A letter may be cut at the end.
        Err(error) => error.error_len().is_none(),
    };
    (is_utf8 && page.iter().all(is_text)).then_some(Foreign::Text)
}

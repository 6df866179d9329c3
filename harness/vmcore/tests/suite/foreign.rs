// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are no vmcore: each is named, with the way out. The headers are written here from
//! the descriptions of their formats.

use synth::notes::note;
use synth::{Elf, Kdump, Segment, flatten};
use vmcore::{
    Archive, Disk, Error, Foreign, Machine, Packed, PhysAddr, Problem, Sadump, Vmcore, true_length,
};

use crate::sample::{VMCOREINFO, memory, notes, small_memory};

fn refusal(file: &[u8]) -> Error {
    let error = Vmcore::open(&file).expect_err("no vmcore");
    // On a disk it is told as in a file; a flattened file has a length whatever is in it.
    if !file.starts_with(b"makedumpfile") {
        assert_eq!(true_length(&file).expect_err("no vmcore"), error);
    }
    error
}

fn foreign(file: &[u8]) -> Foreign {
    match refusal(file) {
        Error::Foreign(foreign) => foreign,
        other => panic!("{other}"),
    }
}

/// A file of 16 KiB with something at places of it, and noise elsewhere.
fn file(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut file: Vec<u8> =
        (0..=255).cycle().step_by(37).map(|byte| byte | 0x81).take(16384).collect();
    for (at, bytes) in parts {
        file[*at..*at + bytes.len()].copy_from_slice(bytes);
    }
    file
}

#[test]
fn states_of_virtual_machines() {
    // QEMU: magic and version, big-endian.
    assert_eq!(foreign(&file(&[(0, b"QEVM\0\0\0\x03")])), Foreign::QemuState);
    for magic in [b"LibvirtQemudSave", b"LibvirtQemudPart"] {
        let save = file(&[(0, magic), (16, &2_u32.to_le_bytes())]);
        assert_eq!(foreign(&save), Foreign::LibvirtSave);
    }
    for magic in ["d0bed0be", "d2bed2be", "d3bed3be", "d1bad1ba", "d2bad2ba"] {
        let magic: Vec<u8> =
            (0..4).map(|at| u8::from_str_radix(&magic[2 * at..][..2], 16).unwrap()).collect();
        assert_eq!(foreign(&file(&[(0, &magic)])), Foreign::VmwareState);
    }
    let saved = file(&[(0, b"\x7fVirtualBox SavedState V2.0\n\0\0\0")]);
    assert_eq!(foreign(&saved), Foreign::VirtualBoxState);
    for magic in [&b"\xed\xeb\x0f\xf0"[..], b"\xee\xeb\x0f\xf0"] {
        assert_eq!(foreign(&file(&[(0, magic)])), Foreign::XenCore);
    }
    let saves: [&[u8]; 5] = [
        b"Xen saved domain, xl format\n \0 \r",
        b"libvirt-xml\n \0 \r\x02\0\0\0",
        b"LinuxGuestRecord\x01",
        b"LibxlFmt\0\0\0\x02",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\x58\x45\x4e\x46\0\0\0\x02",
    ];
    for magic in saves {
        assert_eq!(foreign(&file(&[(0, magic)])), Foreign::XenSave);
    }
}

#[test]
fn dumps_in_other_formats() {
    assert_eq!(foreign(&file(&[(0, b"DISKDUMP\0\0\0\x01")])), Foreign::Diskdump);
    // The partition's header: two words of signature; behind 16 words of label, three GUIDs and
    // the time, which of the disks it is.
    let header = |disk: u32| {
        let mut header = vec![0x11_u8; 4096];
        header[..8].copy_from_slice(&[0x73, 0x61, 0x64, 0x75, 0x6d, 0x70, 0, 0]);
        header[152..156].copy_from_slice(&disk.to_le_bytes());
        header
    };
    let sadump = |parts: &[(usize, &[u8])]| foreign(&file(parts));
    assert_eq!(sadump(&[(0, &header(0))]), Foreign::Sadump(Sadump::Single));
    assert_eq!(sadump(&[(0, &header(1))]), Foreign::Sadump(Sadump::DiskSet));
    assert_eq!(sadump(&[(0, &header(3))]), Foreign::Sadump(Sadump::DiskSet));
    // A medium's header of one block stands before it.
    assert_eq!(sadump(&[(4096, &header(1))]), Foreign::Sadump(Sadump::MediaBackup));
    for magic in ["a8190173618f23ed", "a8190173618f23cd", "a8190173618f23fd"] {
        let magic = u64::from_str_radix(magic, 16).unwrap();
        for bytes in [magic.to_le_bytes(), magic.to_be_bytes()] {
            assert_eq!(foreign(&file(&[(0, &bytes)])), Foreign::Lkcd);
        }
    }
    assert_eq!(foreign(&file(&[(0, b"EMiL\x01\0\0\0")])), Foreign::Lime);
    assert_eq!(foreign(&file(&[(0, b"AVML\x02\0\0\0")])), Foreign::Avml);
    assert_eq!(foreign(&file(&[(0, b"PAGEDUMP")])), Foreign::WindowsKernel);
    assert_eq!(foreign(&file(&[(0, b"PAGEDU64")])), Foreign::WindowsKernel);
    assert_eq!(foreign(&file(&[(0, b"MDMP\x93\xa7\0\0")])), Foreign::WindowsMinidump);
}

#[test]
fn disks_and_swap_space() {
    for (magic, disk) in [
        (&b"QFI\xfb\0\0\0\x03"[..], Disk::Qcow),
        (b"QED\0", Disk::Qed),
        (b"KDMV\x01\0\0\0", Disk::Vmdk),
        (b"COWD\x01\0\0\0", Disk::Vmdk),
        (b"vhdxfileQ\0E\0M\0U\0", Disk::Vhdx),
        (b"conectix\0\0\0\x02", Disk::Vhd),
        (b"WithoutFreeSpace\x02", Disk::Parallels),
        (b"WithouFreSpacExt\x02", Disk::Parallels),
        (b"XFSB\0\0\x10\0", Disk::Raw),
        (b"LUKS\xba\xbe\0\x02", Disk::Raw),
    ] {
        assert_eq!(foreign(&file(&[(0, magic)])), Foreign::Disk(disk));
    }
    let vdi = file(&[(0, b"<<< Oracle VM VirtualBox Disk Image >>>\n"), (64, b"\x7f\x10\xda\xbe")]);
    assert_eq!(foreign(&vdi), Foreign::Disk(Disk::Vdi));
    let raw = Foreign::Disk(Disk::Raw);
    // Zeros before it: a file system leaves its first block to the boot loader.
    for part in [(510, &b"\x55\xaa"[..]), (512, b"EFI PART"), (512, b"LABELONE")] {
        assert_eq!(foreign(&file(&[(0, &[0; 510]), part])), raw);
    }
    assert_eq!(foreign(&file(&[(0, &[0; 4096]), (1080, b"\x53\xef\x01\0")])), raw);
    // A page of zeros but for its last ten bytes.
    for (signature, space) in [
        (b"S1SUSPEND\0", Foreign::Hibernation),
        (b"LINHIB0001", Foreign::Hibernation),
        (b"ULSUSPEND\0", Foreign::Hibernation),
        (b"SWAPSPACE2", Foreign::Swap),
        (b"SWAP-SPACE", Foreign::Swap),
    ] {
        assert_eq!(foreign(&file(&[(0, &[0; 4096]), (4086, signature)])), space);
    }
}

#[test]
fn compressed_files_and_archives() {
    for (magic, packed) in [
        (&b"\x1f\x8b\x08\0"[..], Packed::Gzip),
        (b"\xfd\x37\x7a\x58\x5a\0\0\x04", Packed::Xz),
        (b"\x28\xb5\x2f\xfd\x04", Packed::Zstd),
        (b"BZh91AY&SY", Packed::Bzip2),
        (b"\x04\x22\x4d\x18\x64", Packed::Lz4),
        (b"\x02\x21\x4c\x18", Packed::Lz4),
        (b"\x89\x4c\x5a\x4f\0\x0d\x0a\x1a\x0a\x10", Packed::Lzop),
        (b"\x1f\x9d\x90", Packed::Compress),
    ] {
        assert_eq!(foreign(&file(&[(0, magic)])), Foreign::Packed(packed));
    }
    for (magic, archive) in [
        (&b"PK\x03\x04\x14\0"[..], Archive::Zip),
        (b"PK\x05\x06\0\0", Archive::Zip),
        (b"7z\xbc\xaf\x27\x1c\0\x04", Archive::SevenZip),
        (b"Rar!\x1a\x07\x01\0", Archive::Rar),
        (b"\xed\xab\xee\xdb\x03\0", Archive::Rpm),
        (b"!<arch>\ndebian-binary   ", Archive::Deb),
        (b"!<arch>\nlibc.o/", Archive::Ar),
        (b"070701000000", Archive::Cpio),
        (b"\xc7\x71\0\0", Archive::Cpio),
    ] {
        assert_eq!(foreign(&file(&[(0, magic)])), Foreign::Archive(archive));
    }
    // A tar's first block: the member's name, its numbers, and the signature behind them.
    let tar = file(&[(0, b"vmcore\0"), (257, b"ustar\x0000")]);
    assert_eq!(foreign(&tar), Foreign::Archive(Archive::Tar));
}

#[test]
fn texts_and_files_with_nothing_in_them() {
    assert_eq!(foreign(b""), Foreign::Empty);
    assert_eq!(foreign(&[0; 100]), Foreign::Zeros);
    let begun = [vec![0; 4096], Kdump::default().write(&small_memory())].concat();
    assert_eq!(foreign(&begun), Foreign::Zeros);
    let page = "<!DOCTYPE html>\n<html><title>404 Not Found</title>";
    assert_eq!(foreign(page.as_bytes()), Foreign::Text);
    // A letter of three bytes is cut where the look at the text ends.
    let long = format!("x{}", "内核".repeat(1000));
    assert_eq!(foreign(long.as_bytes()), Foreign::Text);
    assert_eq!(refusal(b"\x01\x02\x03"), Error::NotVmcore { start: vec![1, 2, 3] });
}

/// An x86-64 ELF file of a type, with nothing but its header.
fn elf(kind: u16) -> Vec<u8> {
    let mut file = Elf::default().write();
    file[16..18].copy_from_slice(&kind.to_le_bytes());
    file
}

/// Adds sections of these names, and one with the names.
fn with_sections(mut file: Vec<u8>, names: &[&str]) -> Vec<u8> {
    let mut strings = vec![0];
    let table = file.len().next_multiple_of(8);
    let count = u8::try_from(names.len() + 2).expect("a few names");
    let mut headers = vec![0; 64 * usize::from(count)];
    for (index, name) in (1..).zip(names.iter().chain([&".shstrtab"])) {
        headers[64 * index..][..4]
            .copy_from_slice(&u32::try_from(strings.len()).expect("a few names").to_le_bytes());
        strings.extend(name.bytes().chain([0]));
    }
    let at = (table + headers.len()) as u64;
    headers[64 * usize::from(count - 1) + 24..][..8].copy_from_slice(&at.to_le_bytes());
    headers[64 * usize::from(count - 1) + 32..][..8]
        .copy_from_slice(&(strings.len() as u64).to_le_bytes());
    file.resize(table, 0);
    file.extend(headers);
    file.extend(strings);
    file[40..48].copy_from_slice(&(table as u64).to_le_bytes());
    file[58..60].copy_from_slice(&64_u16.to_le_bytes());
    file[60..62].copy_from_slice(&u16::from(count).to_le_bytes());
    file[62..64].copy_from_slice(&u16::from(count - 1).to_le_bytes());
    file
}

fn segment(virt: u64, phys: u64) -> Segment {
    Segment { virt, phys, stored: vec![7; 4096], size: 4096 }
}

/// What was given in the place of the dump is for another option.
#[test]
fn a_kernels_files_in_the_place_of_the_dump() {
    let segments = vec![segment(0xffff_ffff_8100_0000, 0x0100_0000)];
    let mut vmlinux = Elf { segments, ..Elf::default() }.write();
    vmlinux[16..18].copy_from_slice(&2_u16.to_le_bytes());
    assert_eq!(foreign(&vmlinux), Foreign::Kernel);
    let module = with_sections(elf(1), &[".text", ".gnu.linkonce.this_module"]);
    assert_eq!(foreign(&module), Foreign::Module);
    assert_eq!(foreign(&with_sections(elf(1), &[".text"])), Foreign::Object);
    assert_eq!(foreign(&elf(1)), Foreign::Object);
    let mut program = Elf { segments: vec![segment(0x40_0000, 0)], ..Elf::default() }.write();
    program[16..18].copy_from_slice(&3_u16.to_le_bytes());
    assert_eq!(foreign(&program), Foreign::Program);
    let mut boot = file(&[(510, b"\x55\xaa"), (0x202, b"HdrS\x0f\x02")]);
    assert_eq!(foreign(&boot), Foreign::BootImage);
    boot[..2].copy_from_slice(b"MZ");
    assert_eq!(foreign(&boot), Foreign::BootImage);
}

/// `struct elf_prpsinfo` of x86-64: four bytes, flags, two ids, four pids, then the name.
fn prpsinfo(name: &[u8]) -> Vec<u8> {
    let mut content = vec![0; 136];
    content[40..40 + name.len()].copy_from_slice(name);
    note("CORE", 3, &content)
}

#[test]
fn the_core_of_a_process_is_told_by_its_name() {
    let segments = vec![segment(0x5555_0000_0000, 0), segment(0x7fff_0000_0000, 0)];
    let core = |notes: Vec<u8>| {
        let notes = [synth::notes::prstatus(1, &[7; 27]), notes].concat();
        Elf { segments: segments.clone(), notes, ..Elf::default() }.write()
    };
    let named = |name: &str| Foreign::Process { name: Some(name.to_owned()) };
    assert_eq!(foreign(&core(prpsinfo(b"process-agent"))), named("process-agent"));
    assert_eq!(foreign(&core(prpsinfo(b"sixteen letters!"))), named("sixteen letters!"));
    let nameless = [(6, 320), (0x4649_4c45, 64)];
    for (kind, size) in nameless {
        let file = core(note("CORE", kind, &vec![0; size]));
        assert_eq!(foreign(&file), Foreign::Process { name: None });
    }
    // The name is the file's; it acts on nobody.
    let hostile = refusal(&core(prpsinfo(b"\x1b[2J\xff"))).to_string();
    assert_eq!(hostile, "not a vmcore but the core of a process (\\u{1b}[2J\u{fffd})");
    // The same notes beside memory that has addresses are those of netdump.
    let notes = [prpsinfo(b"vmlinux"), notes()].concat();
    let netdump = Elf { notes, ..Elf::of(&memory(), 0) }.write();
    assert!(Vmcore::open(&netdump).is_ok());
    // A vmcore of one segment at address 0 has no notes of a process.
    let low = Elf { segments: vec![segment(0, 0)], notes: self::notes(), ..Elf::default() };
    assert!(Vmcore::open(&low.write()).is_ok());
}

#[test]
fn a_copy_of_proc_kcore_is_none_of_a_crash() {
    let vmcoreinfo = synth::notes::vmcoreinfo(VMCOREINFO);
    let notes = [prpsinfo(b"vmlinux"), vmcoreinfo].concat();
    // Since 4.18 what is in vmalloc's area is at -1, before everything at 0.
    for phys in [[u64::MAX, 0x1000], [0, 0]] {
        let segments =
            vec![segment(0xffff_c900_0000_0000, phys[0]), segment(0xffff_8880_0000_1000, phys[1])];
        let kcore = Elf { segments, notes: notes.clone(), ..Elf::default() }.write();
        assert_eq!(foreign(&kcore), Foreign::Kcore);
    }
}

#[test]
fn a_core_of_xen_has_its_pages_in_a_section() {
    let names = [".note.Xen", ".xen_prstatus", ".xen_p2m", ".xen_pages"];
    assert_eq!(foreign(&with_sections(elf(4), &names)), Foreign::XenCore);
    // Without it, it is an ELF vmcore without memory.
    let vmcore = with_sections(elf(4), &[".shared"]);
    assert!(Vmcore::open(&vmcore).is_ok());
}

/// VirtualBox writes an ELF core of the memory (`DBGFR3CoreWrite`), with notes of its own.
#[test]
fn the_core_of_virtualbox_is_read() {
    let notes = [note("VBCORE", 0xb00, &[0xde; 24]), note("VBCPU", 0xb01, &[0; 512])].concat();
    let file = Elf { notes, ..Elf::of(&memory(), 0) }.write();
    let vmcore = Vmcore::open(&file).unwrap();
    assert_eq!(vmcore.problems(), [Problem::NoVmcoreinfo, Problem::NoCpuNotes]);
    vmcore.read_physical(PhysAddr(0x1000), &mut [0; 8]).unwrap();
}

/// An ELF header of a core in a class and order of bytes.
fn core_of(machine: u16, class: u8, data: u8) -> Vec<u8> {
    let mut file = vec![0; 4096];
    file[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, data, 1]);
    let half = |value: u16| if data == 1 { value.to_le_bytes() } else { value.to_be_bytes() };
    file[16..18].copy_from_slice(&half(4));
    file[18..20].copy_from_slice(&half(machine));
    file
}

/// The numbers are those of the ELF specifications of the machines; the names, what `uname -m`
/// prints there.
#[test]
fn elf_cores_of_other_machines_are_named() {
    for (machine, class, data, name) in [
        (3, 1, 1, "i686"),
        (40, 1, 1, "armv7l"),
        (183, 2, 1, "aarch64"),
        (21, 2, 1, "ppc64le"),
        (21, 2, 2, "ppc64"),
        (20, 1, 2, "ppc"),
        (22, 2, 2, "s390x"),
        (243, 2, 1, "riscv64"),
        (243, 1, 1, "riscv32"),
        (258, 2, 1, "loongarch64"),
        (8, 2, 2, "mips64"),
        (62, 1, 1, "x32"),
        (62, 2, 2, "big-endian x86_64"),
        (4711, 2, 1, "ELF machine 4711"),
    ] {
        let error = refusal(&core_of(machine, class, data));
        let expected = format!("a dump of another machine ({name}), only those of x86_64 are read");
        assert_eq!(error.to_string(), expected);
        assert!(error.way_out().unwrap().contains("crash(8)"));
    }
    let odd = refusal(&core_of(62, 3, 1)).to_string();
    assert_eq!(odd, "an ELF file of this class is not supported (file offset 0x4)");
}

#[test]
fn kdump_files_of_other_machines_are_named() {
    for machine in ["aarch64", "ppc64le", "i686"] {
        let file = Kdump { machine, ..Kdump::default() }.write(&small_memory());
        let machine = Machine::Named(machine.to_owned());
        assert_eq!(refusal(&file), Error::Machine { machine: machine.clone() });
        let flat = flatten(&file, 3000);
        assert_eq!(refusal(&flat), Error::Machine { machine });
    }
    // s390x and ppc64 write integers in their own order; QEMU names no machine.
    for (machine, expected) in [
        ("s390x", Machine::Named("s390x".into())),
        ("ppc64", Machine::Named("ppc64".into())),
        ("Unknown", Machine::BigEndian),
    ] {
        let mut file = Kdump { machine, ..Kdump::default() }.write(&small_memory());
        file[8..12].copy_from_slice(&6_i32.to_be_bytes());
        assert_eq!(refusal(&file), Error::Machine { machine: expected });
    }
}

/// What is told of a file does not depend on its being flattened.
#[test]
fn a_flattened_file_is_told_by_what_is_in_it() {
    let qcow = file(&[(0, b"QFI\xfb\0\0\0\x03")]);
    assert_eq!(foreign(&flatten(&qcow, 4096)), Foreign::Disk(Disk::Qcow));
}

/// The first words are those of a sentence that a person reads, the way out one they can go.
#[test]
fn refusals_are_sentences() {
    let words = |file: &[u8]| {
        let error = refusal(file);
        (error.to_string(), error.way_out().unwrap_or_default())
    };
    let (told, way_out) = words(b"QEVM\0\0\0\x03");
    assert_eq!(told, "not a vmcore but a migration stream of QEMU");
    assert!(way_out.contains("-incoming 'exec:cat FILE'"), "{way_out}");
    assert!(way_out.contains("dump-guest-memory"), "{way_out}");
    let (told, way_out) = words(&file(&[(0, b"LibvirtQemudSave")]));
    assert_eq!(told, "not a vmcore but a machine saved by libvirt");
    assert!(way_out.contains("virsh dump --memory-only"), "{way_out}");
    let (told, way_out) = words(b"EMiL\x01\0\0\0");
    assert_eq!(told, "not a vmcore but memory in the format of LiME");
    assert!(way_out.contains("docs/raw-ram.md"), "{way_out}");
    let (told, way_out) = words(b"");
    assert_eq!(told, "not a vmcore but an empty file");
    assert!(way_out.contains("vmcore-dmesg.txt"), "{way_out}");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
use std::io::Read;

use object::elf::PT_INTERP;
use object::read::elf::{ElfFile64, ProgramHeader};

use super::*;

/// Name, mode and content of each entry.
pub(super) fn listing(mut archive: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let mut entries = Vec::new();
    loop {
        let mut reader = cpio::newc::Reader::new(archive).unwrap();
        if reader.entry().is_trailer() {
            return entries;
        }
        let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
        let mut content = Vec::new();
        reader.read_to_end(&mut content).unwrap();
        entries.push((name, mode, content));
        archive = reader.finish().unwrap();
    }
}

/// A guest of text files whose kernel has all drivers built in.
fn guest(folder: &Path) -> GuestFiles {
    let file = |name: &str| {
        let path = folder.join(name);
        fs::write(&path, name).unwrap();
        path
    };
    let modules_dir = folder.join("modules");
    fs::create_dir_all(modules_dir.join("kernel")).unwrap();
    let builtin = DRIVERS.map(|name| format!("kernel/{name}.ko\n")).concat();
    fs::write(modules_dir.join("modules.builtin"), builtin).unwrap();
    GuestFiles {
        release: "6.1.0".into(),
        vmlinuz: file("vmlinuz"),
        vmlinux: file("vmlinux"),
        modules_dir,
        build_dir: folder.to_owned(),
        build_root: None,
        debug_package: None,
        gcc_major: None,
        makedumpfile: GuestFile {
            host: file("makedumpfile"),
            guest: "/usr/bin/makedumpfile".into(),
        },
        libraries: vec![GuestFile {
            host: file("libz.so"),
            guest: "/lib/x86_64-linux-gnu/libz.so.1".into(),
        }],
        busybox: GuestFile { host: file("busybox"), guest: "/usr/bin/busybox".into() },
        kexec: vec![
            GuestFile { host: file("kexec"), guest: "/usr/sbin/kexec".into() },
            GuestFile {
                host: file("liblzma.so"),
                guest: "/lib/x86_64-linux-gnu/liblzma.so.5".into(),
            },
        ],
        packages: vec![],
        notes: vec![],
    }
}

fn disk(guest: &GuestFiles) -> ModuleDisk {
    ModuleDisk::of_folder(&guest.modules_dir, &guest.build_dir.join("modules.img")).unwrap()
}

fn content<'a>(entries: &'a [(String, u32, Vec<u8>)], path: &str) -> Option<&'a [u8]> {
    let entry = entries.iter().find(|(name, ..)| name == path)?;
    Some(&entry.2)
}

#[test]
fn the_first_one_holds_the_case_and_the_capture_kernel() {
    let folder = tempfile::tempdir().unwrap();
    let guest = guest(folder.path());
    let case = [CaseFile::at("process.ko".into(), guest.vmlinux.clone())];
    let entries = listing(&first(&guest, &disk(&guest), true, &case).unwrap());
    assert_eq!(content(&entries, "case/process.ko").unwrap(), b"vmlinux");
    assert_eq!(content(&entries, "kexec/vmlinuz").unwrap(), b"vmlinuz");
    assert_eq!(content(&entries, "bin/busybox").unwrap(), b"busybox");
    assert_eq!(content(&entries, "bin/sh").unwrap(), b"busybox");
    let inner = listing(content(&entries, "kexec/initrd").unwrap());
    assert_eq!(content(&inner, "bin/makedumpfile").unwrap(), b"makedumpfile");
    assert_eq!(content(&inner, "lib/x86_64-linux-gnu/libz.so.1").unwrap(), b"libz.so");
    assert_eq!(content(&inner, "bin/busybox"), None, "memory is scarce");
    for entries in [&entries, &inner] {
        assert_eq!(content(entries, "init").unwrap(), INIT);
        assert_eq!(content(entries, "etc/repro/modules").unwrap(), b"");
    }
}

/// CentOS 7.0's kernels have no `kexec_file_load`: what loads the capture kernel then is in the guest.
#[test]
fn a_kernel_that_does_not_load_another_has_kexec() {
    let folder = tempfile::tempdir().unwrap();
    let guest = guest(folder.path());
    let disk = disk(&guest);
    let list = || listing(&first(&guest, &disk, true, &[]).unwrap());
    let config = guest.build_dir.join(".config");
    for (text, is_there) in [
        (None, true),
        (Some("CONFIG_KEXEC=y\n# CONFIG_KEXEC_FILE is not set\n"), true),
        (Some("CONFIG_KEXEC=y\nCONFIG_KEXEC_FILE=y\n"), false),
    ] {
        if let Some(text) = text {
            fs::write(&config, text).unwrap();
        }
        let entries = list();
        assert_eq!(content(&entries, "bin/kexec").is_some(), is_there, "{text:?}");
        let library = content(&entries, "lib/x86_64-linux-gnu/liblzma.so.5");
        assert_eq!(library.is_some(), is_there, "{text:?}");
    }
    let without = listing(&first(&guest, &disk, false, &[]).unwrap());
    assert_eq!(content(&without, "bin/kexec"), None, "nothing is loaded there");
}

#[test]
fn a_file_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let guest = guest(folder.path());
    let case = [CaseFile::at("x.ko".into(), folder.path().join("nothing.ko"))];
    let message = first(&guest, &disk(&guest), true, &case).unwrap_err().to_string();
    assert!(message.contains("nothing.ko"), "{message}");
}

#[test]
fn a_driver_that_is_missing_is_named_unless_it_is_built_in() {
    let folder = tempfile::tempdir().unwrap();
    let guest = guest(folder.path());
    assert_eq!(drivers(&disk(&guest), &["pvpanic"]).unwrap(), [""; 0]);
    fs::write(guest.modules_dir.join("modules.builtin"), "kernel/virtio_pci.ko\n").unwrap();
    fs::remove_file(folder.path().join("modules.img")).unwrap();
    let message = drivers(&disk(&guest), &[]).unwrap_err().to_string();
    assert!(message.contains("virtio_console"), "{message}");
}

#[test]
fn a_library_must_have_a_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut guest = guest(folder.path());
    guest.libraries[0].guest = "libz.so".into();
    assert!(matches!(capture(&guest, &disk(&guest)), Err(InitramfsError::BadPath { .. })));
}

#[test]
fn ways_to_execute_programs_come_with_their_program_alone_where_the_kernel_has_no_modules() {
    let folder = tempfile::tempdir().unwrap();
    let files = exec_paths(&disk(&guest(folder.path()))).unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, [EXEC_PATHS]);
    let entries = listing(&case(&files).unwrap());
    assert!(content(&entries, "bin/exec-paths").unwrap().starts_with(b"\x7fELF"));
    let names: Vec<&str> = entries.iter().map(|(name, ..)| name.as_str()).collect();
    assert!(!names.contains(&"case/exec-paths"), "{names:?}");
}

#[test]
fn embedded_programs_need_no_loader() {
    let folder = tempfile::tempdir().unwrap();
    let [CaseFile { content: CaseContent::Bytes(exec_paths), .. }] =
        &exec_paths(&disk(&guest(folder.path()))).unwrap()[..]
    else {
        panic!("the program comes first")
    };
    for program in [INIT, exec_paths] {
        let file = ElfFile64::<object::Endianness>::parse(program).unwrap();
        let endian = file.endian();
        assert!(
            file.elf_program_headers().iter().all(|header| header.p_type(endian) != PT_INTERP),
            "it is linked dynamically"
        );
    }
}

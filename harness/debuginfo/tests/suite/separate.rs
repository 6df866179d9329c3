// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debug information in a separate file, split off by binutils as distributions do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use debuginfo::{Files, Image};

use crate::tools::{KERNEL, TEXT, Workshop, run, symbols};

/// Splits a file in two: stripped, and with the debug information alone.
fn split(file: &Path, strip: &str) -> (PathBuf, PathBuf) {
    let (stripped, debug) = (file.with_extension("stripped"), file.with_extension("debug"));
    run(Command::new("objcopy").arg("--only-keep-debug").args([file, &debug]));
    run(Command::new("objcopy").arg(strip).args([file, &stripped]));
    let mut link = std::ffi::OsString::from("--add-gnu-debuglink=");
    link.push(&debug);
    run(Command::new("objcopy").arg(link).arg(&stripped));
    (stripped, debug)
}

/// A kernel with a build-id that `ld` made of its content.
fn kernel(shop: &Workshop, name: &str, options: &[&str]) -> PathBuf {
    let object = shop.compile("code.c", &format!("{name}.o"), &[KERNEL, options, &["-c"]].concat());
    let output = shop.path(name);
    let mut command = Command::new("ld");
    command.args(["-static", "--unresolved-symbols=ignore-all", "-e", "start_kernel"]);
    command.arg("--build-id=sha1").arg(format!("-Ttext={TEXT:#x}"));
    run(command.arg("-o").arg(&output).arg(object));
    output
}

/// The CRC-32 of a file as gzip writes it behind the data, before the length (RFC 1952).
fn checksum_by_gzip(file: &Path) -> u32 {
    let packed =
        Command::new("gzip").arg("-c").arg(file).output().expect("gzip is installed").stdout;
    let (_, trailer) = packed.split_last_chunk::<8>().expect("a whole gzip file");
    u32::from_le_bytes(*trailer.first_chunk().expect("eight bytes"))
}

#[test]
fn stripped_kernel_with_its_debug_file_answers_as_the_whole_one() {
    let shop = Workshop::new();
    let file = kernel(&shop, "vmlinux", &[]);
    let (stripped, debug) = split(&file, "--strip-all");
    let checksum = checksum_by_gzip(&debug);
    let read = |path: &Path| std::fs::read(path).unwrap();
    let (whole, stripped, debug) = (read(&file), read(&stripped), read(&debug));
    let whole = Image::kernel(&whole, 0).unwrap();
    let alone = Image::kernel(&stripped, 0).unwrap();
    let files = Files { debug: Some(&debug), ..Files::from(&stripped) };
    let joined = Image::kernel(files, 0).unwrap();

    let link = alone.debug_link().expect("objcopy made one");
    assert_eq!((link.name, link.crc), ("vmlinux.debug", Some(checksum)));
    assert!(!alone.has_debug_info() && joined.has_debug_info());
    assert_eq!(joined.refused_debug_file(), None);
    let functions = symbols(&file, "tT");
    assert!(functions.len() > 3, "the fixture has functions");
    for (name, (address, _)) in functions {
        assert!(alone.symbol(&name).is_none(), "{name} was stripped");
        assert_eq!(joined.symbol(&name), whole.symbol(&name));
        assert_eq!(joined.source(address), whole.source(address), "{name}");
        assert!(joined.source(address).is_found(), "{name}");
    }
    // The debug file has no code; it comes from the stripped one.
    assert_eq!(joined.section(".text"), whole.section(".text"));
    assert!(!joined.section(".text").unwrap().1.is_empty());
}

#[test]
fn module_with_its_debug_file_is_relocated_as_the_whole_one() {
    let shop = Workshop::new();
    let file = shop.compile("code.c", "code.ko", &[KERNEL, &["-c"]].concat());
    let (stripped, debug) = split(&file, "--strip-debug");
    let read = |path: &Path| std::fs::read(path).unwrap();
    let (whole, stripped, debug) = (read(&file), read(&stripped), read(&debug));
    let text = 0xffff_ffff_c012_3000;
    let sections = BTreeMap::from([(".text".to_owned(), text)]);
    let whole = Image::module(&whole, &sections).unwrap();
    let files = Files { debug: Some(&debug), ..Files::from(&stripped) };
    let joined = Image::module(files, &sections).unwrap();
    let functions = symbols(&file, "tT");
    assert!(functions.len() > 3, "the fixture has functions");
    for (name, (offset, _)) in functions {
        let Some(symbol) = whole.symbol(&name) else { continue };
        assert_eq!(joined.symbol(&name).as_ref(), Some(&symbol));
        if symbol.address == text + offset {
            assert!(joined.source(symbol.address).is_found(), "{name}");
        }
        assert_eq!(joined.source(symbol.address), whole.source(symbol.address), "{name}");
    }
}

#[test]
fn debug_file_of_another_build_is_refused_with_both_build_ids() {
    let shop = Workshop::new();
    let (stripped, _) = split(&kernel(&shop, "vmlinux", &[]), "--strip-all");
    let other = kernel(&shop, "other", &["-O1"]);
    let (stripped, other) = (std::fs::read(stripped).unwrap(), std::fs::read(other).unwrap());
    let image = Image::kernel(Files { debug: Some(&other), ..Files::from(&stripped) }, 0).unwrap();
    let words = image.refused_debug_file().expect("it is another build").to_string();
    for file in [&stripped, &other] {
        let id = Image::kernel(file, 0).unwrap().build_id().expect("ld wrote one");
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(words.contains(&id), "{words} names {id}");
    }
    assert!(!image.has_debug_info());
}

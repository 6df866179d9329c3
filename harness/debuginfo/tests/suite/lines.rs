// SPDX-License-Identifier: MIT OR Apache-2.0
//! Lines and inlined calls equal those of `addr2line -i -f -a`, at every address of the code.

use std::collections::BTreeMap;
use std::process::Command;

use crate::tools::{Frame, KERNEL, Workshop, addr2line, fixture, run, symbols};
use debuginfo::{Image, Lookup, Reason};

/// What the image says, in the form of addr2line.
fn ours(image: &Image<'_>, addresses: impl IntoIterator<Item = u64>) -> Vec<Vec<Frame>> {
    let frames = |address| match image.source(address) {
        Lookup::Found(frames) => frames,
        Lookup::Unknown(reason) => panic!("{address:#x}: {reason}"),
    };
    let print = |frame: debuginfo::SourceFrame| {
        let line = frame.line.map_or("?".to_owned(), |line| line.to_string());
        let file = frame.file.unwrap_or_else(|| "??".to_owned());
        (frame.function.unwrap_or_else(|| "??".to_owned()), format!("{file}:{line}"))
    };
    addresses.into_iter().map(|address| frames(address).into_iter().map(print).collect()).collect()
}

/// Every address of every function.
fn code(file: &std::path::Path) -> Vec<u64> {
    let functions = symbols(file, "tT");
    functions.values().flat_map(|&(start, size)| start..start + size).collect()
}

fn same_as_addr2line(options: &[&str]) {
    let shop = Workshop::new();
    let file = shop.kernel("kernel", options);
    let addresses = code(&file);
    assert!(addresses.len() > 300, "the fixture has code");
    let bytes = std::fs::read(&file).unwrap();
    let expected = addr2line(&file, &[], &addresses);
    assert!(expected.iter().any(|frames| frames.len() == 3), "calls are inlined in the fixture");
    let image = Image::kernel(&bytes, 0).unwrap();
    assert_eq!(ours(&image, addresses.clone()), expected);
    // Moved by KASLR, the same code is found at the moved addresses only.
    let moved = Image::kernel(&bytes, 0x1d40_0000).unwrap();
    assert_eq!(ours(&moved, addresses.iter().map(|address| address + 0x1d40_0000)), expected);
    assert!(!moved.source(addresses[0]).is_found());
}

#[test]
fn dwarf_5_equals_addr2line() {
    same_as_addr2line(&["-gdwarf-5"]);
}

#[test]
fn dwarf_4_equals_addr2line() {
    same_as_addr2line(&["-gdwarf-4"]);
}

#[test]
fn compressed_debug_sections_equal_addr2line() {
    same_as_addr2line(&["-gdwarf-5", "-gz=zlib"]);
}

#[test]
fn functions_in_sections_of_their_own_equal_addr2line() {
    same_as_addr2line(&["-gdwarf-5", "-ffunction-sections"]);
}

/// Link-time optimisation inlines across units: the abstract functions are in other units.
#[test]
fn calls_inlined_across_units_equal_addr2line() {
    let shop = Workshop::new();
    let object = shop.path("both.o");
    let mut command = Command::new("gcc");
    command.args(KERNEL).args(["-flto", "-flto-partition=one", "-r", "-nostdlib"]);
    command.args(["-flinker-output=nolto-rel", "-o"]).arg(&object);
    run(command.args([fixture("code.c"), fixture("other.c")]));
    let file = shop.link(&object, "kernel");
    let addresses = code(&file);
    let expected = addr2line(&file, &[], &addresses);
    let across = |frames: &Vec<Frame>| {
        let has = |name: &str| frames.iter().any(|(function, _)| function == name);
        has("from_other_unit") && has("start_kernel")
    };
    assert!(expected.iter().any(across), "gcc inlines across units");
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::kernel(&bytes, 0).unwrap();
    // binutils 2.40 name the unit (`<artificial>`) instead of the file for some rows, so only
    // functions and lines are compared; the files are those of the fixtures.
    let ours = ours(&image, addresses);
    assert_eq!(without_files(&ours), without_files(&expected));
    let mut files = ours.iter().flatten().map(|(_, place)| place.split(':').next().unwrap());
    assert!(files.all(|file| file.ends_with("/code.c") || file.ends_with("/other.c")));
}

fn without_files(answers: &[Vec<Frame>]) -> Vec<Vec<Frame>> {
    let short = |(name, place): &Frame| {
        let line = place.rsplit(':').next().unwrap_or_default();
        (name.clone(), line.to_owned())
    };
    answers.iter().map(|frames| frames.iter().map(short).collect()).collect()
}

#[test]
fn unit_that_aranges_leave_out_is_found_by_its_root() {
    let shop = Workshop::new();
    let whole = shop.kernel("kernel", &[]);
    let file = shop.path("without-aranges");
    run(Command::new("objcopy").arg("--remove-section=.debug_aranges").arg(&whole).arg(&file));
    let addresses = code(&file);
    let expected = addr2line(&whole, &[], &addresses);
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(ours(&Image::kernel(&bytes, 0).unwrap(), addresses), expected);
}

#[test]
fn without_debug_information_the_reason_says_so() {
    let shop = Workshop::new();
    let file = shop.kernel("kernel", &["-g0"]);
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::kernel(&bytes, 0).unwrap();
    let (entry, _) = symbols(&file, "T")["start_kernel"];
    assert_eq!(image.source(entry), Lookup::Unknown(Reason::NoSection(".debug_info")));
    assert_eq!(image.function(entry), Lookup::Unknown(Reason::NoSection(".debug_info")));
    assert_eq!(
        image.symbol_at(entry + 1).map(|symbol| symbol.name).as_deref(),
        Some("start_kernel")
    );
}

/// Loads the sections of a relocatable file far apart, in an order of their own.
fn placed(file: &std::path::Path) -> BTreeMap<String, u64> {
    let output = run(Command::new("readelf").args(["-SW"]).arg(file));
    let names = output.lines().filter_map(|line| line.split(']').nth(1)?.split_whitespace().next());
    let loaded = names.filter(|name| {
        [".text", ".data", ".bss", ".rodata"].iter().any(|prefix| name.starts_with(prefix))
    });
    (0_u64..)
        .zip(loaded)
        .map(|(index, name)| (name.to_owned(), 0xffff_ffff_c090_0000 - index * 0x11_000))
        .collect()
}

fn module_same_as_addr2line(options: &[&str]) {
    let shop = Workshop::new();
    let file = shop.compile("code.c", "module.o", &[KERNEL, options, &["-c"]].concat());
    let sections = placed(&file);
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::module(&bytes, &sections).unwrap();
    let mut checked = 0;
    for (name, base) in sections.iter().filter(|(name, _)| name.starts_with(".text")) {
        let sizes = run(Command::new("size").args(["-A", "-d"]).arg(&file));
        let size = sizes.lines().find(|line| line.split_whitespace().next() == Some(name));
        let size: u64 = size.unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
        let offsets: Vec<u64> =
            (0..size).filter(|&offset| image.function(base + offset).is_found()).collect();
        let expected = addr2line(&file, &["-j", name], &offsets);
        assert_eq!(ours(&image, offsets.iter().map(|offset| base + offset)), expected, "{name}");
        checked += offsets.len();
    }
    assert!(checked > 300, "{checked} addresses of code");
}

#[test]
fn relocated_dwarf_5_equals_addr2line() {
    module_same_as_addr2line(&["-gdwarf-5"]);
}

#[test]
fn relocated_dwarf_4_equals_addr2line() {
    module_same_as_addr2line(&["-gdwarf-4"]);
}

#[test]
fn relocated_compressed_sections_equal_addr2line() {
    module_same_as_addr2line(&["-gdwarf-5", "-gz=zlib", "-ffunction-sections"]);
}

#[test]
fn code_of_a_section_that_was_not_loaded_is_nowhere() {
    let shop = Workshop::new();
    for dwarf in ["-gdwarf-4", "-gdwarf-5"] {
        let options = [KERNEL, &[dwarf, "-c", "-ffunction-sections"]].concat();
        let file = shop.compile("code.c", "module.o", &options);
        let mut sections = placed(&file);
        let missing = sections.remove(".text.start_kernel").unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let image = Image::module(&bytes, &sections).unwrap();
        assert_eq!(image.symbol("start_kernel"), None);
        for address in [missing, 0, 1, u64::MAX - 1, u64::MAX] {
            assert!(!image.source(address).is_found(), "{dwarf} {address:#x}");
        }
        // The rest is found as before.
        let base = sections[".text.call_through"];
        let frames = image.source(base).found().unwrap();
        assert_eq!(frames[0].function.as_deref(), Some("call_through"), "{dwarf}");
    }
}

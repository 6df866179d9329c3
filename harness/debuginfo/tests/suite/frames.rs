// SPDX-License-Identifier: MIT OR Apache-2.0
//! Call frame information equals that of `readelf --debug-dump=frames-interp`, at every address.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use debuginfo::{CfaRule, CfiExpression, CfiRow, CfiRule, Image, Lookup, Reason};

use crate::tools::{KERNEL, TEXT, Workshop, run, symbols};

/// Where the fixtures are loaded as modules.
const MODULE: u64 = 0xffff_ffff_c034_e000;
/// readelf's names, by DWARF number (System V ABI, figure 3.36).
const NAMES: [&str; 17] = [
    "rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "ra",
];

/// A row in readelf's words; registers that are undefined or not mentioned are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    cfa: String,
    rules: BTreeMap<String, String>,
    signal: bool,
}

/// All rows that readelf prints, with the addresses that each holds for.
fn readelf(file: &Path) -> Vec<(Range<u64>, Row)> {
    let output = run(Command::new("readelf").args(["-W", "--debug-dump=frames-interp"]).arg(file));
    let number = |text: &str| u64::from_str_radix(text, 16).expect("readelf prints hex");
    let mut common: BTreeMap<&str, Row> = BTreeMap::new();
    let mut rows = Vec::new();
    for block in output.split("\n\n") {
        let mut lines = block.trim().lines();
        let head: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
        let columns: Vec<&str> = lines.next().unwrap_or("").split_whitespace().collect();
        let mut told = lines.map(|line| row(line, &columns));
        match head[..] {
            [offset, _, _, "CIE", augmentation, ..] => {
                let signal = augmentation.contains('S');
                let row = told.next_back().map(|(_, row)| row).unwrap_or_default();
                common.insert(offset, Row { signal, ..row });
            }
            [_, _, _, "FDE", cie, range] => {
                let common = &common[cie.trim_start_matches("cie=")];
                let (start, end) = range.trim_start_matches("pc=").split_once("..").unwrap();
                let mut told: Vec<(u64, Row)> = told
                    .map(|(start, row)| (number(start), Row { signal: common.signal, ..row }))
                    .collect();
                if told.is_empty() {
                    told.push((number(start), common.clone()));
                }
                let next = told.iter().skip(1).map(|(start, _)| *start).chain([number(end)]);
                let ends: Vec<u64> = next.collect();
                rows.extend(
                    told.into_iter().zip(ends).map(|((start, row), end)| (start..end, row)),
                );
            }
            _ => {}
        }
    }
    rows
}

/// One line: address, CFA, one rule for each further column.
fn row<'t>(line: &'t str, columns: &[&str]) -> (&'t str, Row) {
    // A rule that names a register reads `r2 (rcx)`.
    let mut words = line.split_whitespace().filter(|word| !word.starts_with('('));
    let start = words.next().expect("a row begins with its address");
    let cfa = words.next().expect("the CFA follows").to_owned();
    let rules = columns.iter().skip(2).map(|&name| name.to_owned());
    let rules = rules.zip(words.map(str::to_owned)).filter(|(_, rule)| rule != "u").collect();
    (start, Row { cfa, rules, signal: false })
}

/// Our row in readelf's words.
fn printed(row: &CfiRow) -> Row {
    let rules = row.registers.iter().copied().chain([row.return_address]).zip(NAMES);
    let rules = rules.filter_map(|(rule, name)| Some((name.to_owned(), rule_of(rule?)?)));
    let cfa = match row.cfa {
        CfaRule::RegisterOffset { register, offset } => {
            format!("{}{offset:+}", NAMES[usize::from(register)])
        }
        CfaRule::Expression(_) => "exp".to_owned(),
    };
    Row { cfa, rules: rules.collect(), signal: row.signal }
}

fn rule_of(rule: CfiRule) -> Option<String> {
    Some(match rule {
        CfiRule::Undefined => return None,
        CfiRule::SameValue => "s".to_owned(),
        CfiRule::Offset(offset) => format!("c{offset:+}"),
        CfiRule::ValOffset(offset) => format!("v{offset:+}"),
        CfiRule::Register(register) => format!("r{register}"),
        CfiRule::Expression(_) => "exp".to_owned(),
        CfiRule::ValExpression(_) => "vexp".to_owned(),
    })
}

/// Compares at every address that readelf has a row for; `moved` is where the code was loaded
/// relative to what readelf prints. Gives the number of addresses.
fn same_as_readelf(file: &Path, image: &Image<'_>, moved: u64) -> usize {
    let mut addresses = 0;
    for (range, expected) in readelf(file) {
        for pc in range {
            let row = image.cfi(pc + moved);
            let row = row.ok().unwrap_or_else(|reason| panic!("{pc:#x}: {reason}"));
            assert_eq!(printed(&row), expected, "{pc:#x}");
            addresses += 1;
        }
    }
    addresses
}

/// The addresses behind functions that no row covers.
fn gaps(file: &Path) -> Vec<u64> {
    let rows = readelf(file);
    let covered = |pc: &u64| rows.iter().any(|(range, _)| range.contains(pc));
    let ends: Vec<u64> =
        rows.iter().map(|(range, _)| range.end).filter(|pc| !covered(pc)).collect();
    assert!(ends.len() > 3, "functions are aligned");
    ends
}

fn is_missing(image: &Image<'_>, pc: u64) -> bool {
    matches!(image.cfi(pc), Lookup::Unknown(Reason::NotFound(_)))
}

fn sections(address: u64) -> BTreeMap<String, u64> {
    [(".text".to_owned(), address)].into_iter().collect()
}

fn entry(shop: &Workshop) -> PathBuf {
    shop.compile("entry.S", "entry.o", &["-c"])
}

#[test]
fn kernel_equals_readelf() {
    for options in [&["-gdwarf-5"][..], &["-gdwarf-4"], &["-gz=zlib"], &["-fno-omit-frame-pointer"]]
    {
        let shop = Workshop::new();
        let file = shop.kernel("kernel", options);
        let bytes = std::fs::read(&file).unwrap();
        let image = Image::kernel(&bytes, 0).unwrap();
        assert!(same_as_readelf(&file, &image, 0) > 300, "the fixture has code");
        for pc in [0, TEXT - 1].into_iter().chain(gaps(&file)) {
            assert!(is_missing(&image, pc), "{pc:#x}");
        }
        let moved = Image::kernel(&bytes, 0x1d40_0000).unwrap();
        same_as_readelf(&file, &moved, 0x1d40_0000);
        assert!(!moved.cfi(TEXT).is_found());
    }
}

#[test]
fn module_equals_readelf() {
    let shop = Workshop::new();
    // readelf tells addresses within sections, so there must be only one.
    let one_section = ["-c", "-fno-reorder-functions", "-fno-reorder-blocks-and-partition"];
    let file = shop.compile("code.c", "module.o", &[KERNEL, &one_section].concat());
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::module(&bytes, &sections(MODULE)).unwrap();
    assert!(same_as_readelf(&file, &image, MODULE) > 300, "the fixture has code");
}

/// Code of a section that was freed after the module's start has no address, and no row.
#[test]
fn section_that_is_not_loaded_has_no_rows() {
    let shop = Workshop::new();
    let file = shop.compile("code.c", "module.o", &[KERNEL, &["-c"]].concat());
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::module(&bytes, &BTreeMap::new()).unwrap();
    for pc in [0, 1, MODULE, u64::MAX - 1, u64::MAX] {
        assert!(is_missing(&image, pc), "{pc:#x}");
    }
}

#[test]
fn entry_code_equals_readelf() {
    let shop = Workshop::new();
    let file = entry(&shop);
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::module(&bytes, &sections(MODULE)).unwrap();
    let size: u64 = symbols(&file, "T").values().map(|(_, size)| size).sum();
    assert_eq!(u64::try_from(same_as_readelf(&file, &image, MODULE)).unwrap(), size);
}

/// The registers of the tests' frame: rsp is 0x1000, the others are unknown.
fn register(number: u16) -> Option<u64> {
    (number == 7).then_some(0x1000)
}

/// One word of memory: the old stack pointer, pushed to the top of the new stack.
fn memory(address: u64, size: u8) -> Option<u64> {
    (address == 0x1000 && size == 8).then_some(0xffff_c900_0010_3f00)
}

fn cfa_expression(image: &Image<'_>, pc: u64) -> CfiExpression {
    match image.cfi(pc).ok().expect("the fixture has a row").cfa {
        CfaRule::Expression(expression) => expression,
        rule => panic!("{rule:?} is no expression"),
    }
}

#[test]
fn expressions_of_entry_code() {
    let shop = Workshop::new();
    let bytes = std::fs::read(entry(&shop)).unwrap();
    let image = Image::module(&bytes, &sections(MODULE)).unwrap();
    // Behind the push to the new stack (push, mov, push: 5 bytes) and the nop.
    let cfa = cfa_expression(&image, MODULE + 5);
    let value = image.evaluate_cfi(cfa, None, &register, &memory).found();
    assert_eq!(value, Some(0xffff_c900_0010_3f88), "the word at rsp, and 0x88");
    let row = image.cfi(MODULE + 6).found().unwrap();
    let (Some(CfiRule::Expression(rbx)), Some(CfiRule::ValExpression(r12))) =
        (row.registers[3], row.registers[12])
    else {
        panic!("{row:?}");
    };
    let evaluate = |rule| image.evaluate_cfi(rule, value, &register, &memory).found();
    assert_eq!(evaluate(rbx), Some(0x1008), "rsp and 8");
    assert_eq!(evaluate(r12), Some(0xffff_c900_0010_3f78), "the CFA less 16");
    let nothing = image.evaluate_cfi(cfa, None, &register, &|_, _| None);
    assert_eq!(nothing.ok().unwrap_err().to_string(), "memory at 0x1000 was not found");
    let nothing = image.evaluate_cfi(cfa, None, &|_| None, &memory);
    assert_eq!(nothing.ok().unwrap_err().to_string(), "value of register 7 was not found");
}

#[test]
fn expressions_without_a_value() {
    let shop = Workshop::new();
    let file = entry(&shop);
    let symbols = symbols(&file, "T");
    let bytes = std::fs::read(&file).unwrap();
    let image = Image::module(&bytes, &sections(MODULE)).unwrap();
    let wrong = symbols["wrong_shapes"].0;
    for pc in [symbols["endless"].0 + 1, wrong + 1, wrong + 2] {
        let expression = cfa_expression(&image, MODULE + pc);
        assert!(!image.evaluate_cfi(expression, None, &register, &memory).is_found());
    }
    for (offset, length) in [(u64::MAX, 1), (0, u64::MAX), (u64::MAX, u64::MAX), (0, 0)] {
        let outside = CfiExpression { offset, length };
        assert!(!image.evaluate_cfi(outside, None, &register, &memory).is_found());
    }
}

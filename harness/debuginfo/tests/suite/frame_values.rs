// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of parameters in frames, beside what objdump says of the code.

use std::cell::RefCell;
use std::process::Command;

use debuginfo::{Absent, Datum, FrameState, FrameValue, Image, Origin, Passed};

use crate::tools::{Workshop, run, symbols};

/// DWARF's numbers of registers (System V ABI, figure 3.36).
const RDI: u16 = 5;
const RSI: u16 = 4;
/// Registers that a call leaves as they were.
const KEPT: [u16; 6] = [3, 6, 12, 13, 14, 15];

/// A frame after a call: registers that calls keep hold a number that tells which one it is.
#[derive(Default)]
struct AfterCall {
    asked: RefCell<Vec<Passed>>,
    passes: Option<u64>,
}

impl FrameState for AfterCall {
    fn register(&self, number: u16) -> Option<u64> {
        KEPT.contains(&number).then(|| marked(number))
    }

    fn cfa(&self) -> Option<u64> {
        Some(0xffff_8000_0000_1000)
    }

    fn memory(&self, _: u64, _: &mut [u8]) -> Option<()> {
        None
    }

    fn passed(&self, what: Passed) -> Result<u64, Absent> {
        self.asked.borrow_mut().push(what);
        self.passes.ok_or(Absent::NotPassed)
    }
}

fn marked(register: u16) -> u64 {
    0x7700_0000 + u64::from(register)
}

/// Return addresses of the calls from one function to another, as objdump shows them.
fn returns(file: &std::path::Path, from: &str, to: &str) -> Vec<u64> {
    let option = format!("--disassemble={from}");
    let text = run(Command::new("objdump").args(["-d", "--no-show-raw-insn", &option]).arg(file));
    let address = |line: &str| u64::from_str_radix(line.split(':').next()?.trim(), 16).ok();
    let lines: Vec<&str> = text.lines().filter(|line| address(line).is_some()).collect();
    let target = format!("<{to}");
    let calls =
        lines.windows(2).filter(|pair| pair[0].contains("call") && pair[0].contains(&target));
    calls.filter_map(|pair| address(pair[1])).collect()
}

struct Fixture {
    _shop: Workshop,
    file: std::path::PathBuf,
    bytes: Vec<u8>,
}

impl Fixture {
    fn new(dwarf: &str) -> Self {
        let shop = Workshop::new();
        let file = shop.kernel("kernel", &[dwarf]);
        let bytes = std::fs::read(&file).unwrap();
        Self { _shop: shop, file, bytes }
    }
}

fn named<'v>(values: &'v [FrameValue], name: &str) -> &'v FrameValue {
    values.iter().find(|value| value.name == name && value.depth == 0).expect("a parameter")
}

/// GNU's forms in DWARF 4, the standard's in DWARF 5: both say what a call passed.
#[test]
fn a_call_tells_its_arguments_in_either_generation() {
    for dwarf in ["-gdwarf-4", "-gdwarf-5"] {
        let fixture = Fixture::new(dwarf);
        let image = Image::kernel(&fixture.bytes, 0).unwrap();
        let calls = returns(&fixture.file, "start_kernel", "call_through");
        assert_eq!(calls.len(), 1, "{dwarf}");
        // `ops` is handed on as it came in rdi; `where` lies in a register that calls keep.
        let state = AfterCall { passes: Some(0x55), ..AfterCall::default() };
        assert_eq!(image.passed(calls[0], Passed::Register(RDI), &state), Ok(0x55), "{dwarf}");
        assert_eq!(*state.asked.borrow(), [Passed::Register(RDI)], "{dwarf}");
        let passed = image.passed(calls[0], Passed::Register(RSI), &state).unwrap();
        assert!(KEPT.iter().any(|&register| marked(register) == passed), "{dwarf}: {passed:#x}");
        assert_eq!(
            image.passed(calls[0] + 1, Passed::Register(RDI), &state),
            Err(Absent::NotPassed),
            "{dwarf}: no call returns there"
        );
    }
}

/// A parameter is in a register that the called function gave back, or, once it is of no use any
/// more, what the caller's frame tells of the call.
#[test]
fn a_parameter_that_is_gone_is_what_was_passed_at_entry() {
    for dwarf in ["-gdwarf-4", "-gdwarf-5"] {
        let fixture = Fixture::new(dwarf);
        let image = Image::kernel(&fixture.bytes, 0).unwrap();
        let first = returns(&fixture.file, "start_kernel", "call_through");
        let state = AfterCall { passes: Some(0x1234), ..AfterCall::default() };
        let values = image.frame_values(first[0] - 1, false, &state).found().unwrap();
        let kept = named(&values, "where");
        let Ok(Datum::Bytes(bytes)) = &kept.value else { panic!("{dwarf}: {kept:?}") };
        let value = u64::from_le_bytes(bytes.as_slice().try_into().unwrap());
        assert!(KEPT.iter().any(|&register| marked(register) == value), "{dwarf}: {value:#x}");
        assert_eq!(kept.origin, Origin::Place, "{dwarf}");
        // `ops` is not needed after its only use.
        let gone = named(&values, "ops");
        assert_eq!(gone.value, Ok(Datum::Bytes(0x1234_u64.to_le_bytes().to_vec())), "{dwarf}");
        assert!(matches!(gone.origin, Origin::Caller | Origin::AtEntry), "{dwarf}: {gone:?}");
        assert!(state.asked.borrow().contains(&Passed::Register(RDI)), "{dwarf}");
        let lost = AfterCall::default();
        let values = image.frame_values(first[0] - 1, false, &lost).found().unwrap();
        assert_eq!(named(&values, "ops").value, Err(Absent::NotPassed), "{dwarf}");
    }
}

/// The clone has no such parameter any more: the constant is in the debug information.
#[test]
fn a_constant_of_a_clone_needs_no_frame() {
    let fixture = Fixture::new("-gdwarf-5");
    let image = Image::kernel(&fixture.bytes, 0).unwrap();
    let all = symbols(&fixture.file, "t");
    let (_, &(address, _)) =
        all.iter().find(|(name, _)| name.starts_with("specialised.")).expect("gcc makes a clone");
    let values = image.frame_values(address, false, &AfterCall::default()).found().unwrap();
    let constant = named(&values, "always_three");
    let Ok(Datum::Bytes(bytes)) = &constant.value else { panic!("{constant:?}") };
    assert_eq!(bytes.first(), Some(&3));
    assert!(matches!(constant.origin, Origin::Constant | Origin::Place));
    // At the entry it is in rdi, which this frame does not know, and nobody says what was passed.
    assert_eq!(named(&values, "where").value, Err(Absent::Register(RDI)));
}

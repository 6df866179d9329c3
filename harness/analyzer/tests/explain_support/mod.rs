// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles and runs `victims.c` and shows its crashes to the analysis.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use analyzer::express::Names;
use analyzer::flow::{Code, Words};
use analyzer::scene::Scene;
use debuginfo::Image;
use tempfile::TempDir;
use unwind::{Frame, Pc, Register, Registers, Trust};

/// Ways to compile that change how values travel.
pub(crate) const OPTIMISATIONS: [&str; 3] = ["-O1", "-O2", "-Os"];

/// The compiled program.
pub(crate) struct Victims {
    folder: TempDir,
    bytes: Vec<u8>,
    source: String,
}

/// What the program's author says is wrong.
pub(crate) struct Marked {
    pub(crate) line: u32,
    pub(crate) expression: String,
}

impl Victims {
    pub(crate) fn compile(optimisation: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain/victims.c");
        let program = folder.path().join("victims");
        let status = Command::new("gcc")
            .args(["-g", optimisation, "-std=gnu11", "-no-pie", "-fno-pie", "-w"])
            // As the kernel is compiled.
            .args(["-fcf-protection=none", "-fno-strict-aliasing", "-fno-stack-protector"])
            .args(["-fno-optimize-sibling-calls", "-fno-partial-inlining"])
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .status()
            .expect("gcc is needed to build modules, and for this test");
        assert!(status.success(), "gcc failed");
        let bytes = fs::read(&program).expect("the program");
        let source = fs::read_to_string(source).expect("the source");
        Self { folder, bytes, source }
    }

    /// The marker in the function, or in the function it inlines.
    pub(crate) fn marked(&self, function: &str) -> Marked {
        let inlined = match function {
            "member_of_parameter" => "static inline int start(",
            _ => "",
        };
        let starts = |line: &str| {
            if inlined.is_empty() {
                line.starts_with("NOINLINE") && line.contains(&format!("{function}("))
            } else {
                line.starts_with(inlined)
            }
        };
        let lines = (1..).zip(self.source.lines());
        let mut body = lines.skip_while(|(_, line)| !starts(line));
        let (line, text) = body.find(|(_, line)| line.contains("/* BUG: ")).expect("a marker");
        let expression = text.split("/* BUG: ").nth(1).expect("text after the marker");
        Marked { line, expression: expression.trim_end_matches(" */").to_owned() }
    }

    /// Lets one function crash.
    pub(crate) fn crash(&self, function: &str) -> Crash {
        let save: PathBuf = self.folder.path().join(function);
        let status = Command::new(self.folder.path().join("victims"))
            .arg(function)
            .env("SAVE_TO", &save)
            .status()
            .expect("the program runs");
        assert!(status.success(), "{function} did not crash");
        Crash::parse(&fs::read(&save).expect("what the handler saved"))
    }

    pub(crate) fn scene<'a>(&'a self, crash: &'a Crash) -> UserScene<'a> {
        UserScene { image: Image::kernel(&self.bytes, 0).expect("an image"), crash }
    }
}

/// Registers and memory of one crash.
pub(crate) struct Crash {
    registers: Registers,
    pub(crate) address: u64,
    memory: BTreeMap<u64, Vec<u8>>,
}

impl Crash {
    fn parse(saved: &[u8]) -> Self {
        const ORDER: [Register; 16] = [
            Register::Rax,
            Register::Rcx,
            Register::Rdx,
            Register::Rbx,
            Register::Rsp,
            Register::Rbp,
            Register::Rsi,
            Register::Rdi,
            Register::R8,
            Register::R9,
            Register::R10,
            Register::R11,
            Register::R12,
            Register::R13,
            Register::R14,
            Register::R15,
        ];
        let word = |index: usize| {
            u64::from_le_bytes(saved[index * 8..index * 8 + 8].try_into().expect("eight bytes"))
        };
        let mut registers = Registers::at(word(16), word(4));
        for (index, register) in ORDER.into_iter().enumerate() {
            registers.set(register, Some(word(index)));
        }
        let mut memory = BTreeMap::new();
        let mut rest = &saved[18 * 8..];
        while let Some((head, tail)) = rest.split_first_chunk::<16>() {
            let low = u64::from_le_bytes(head[..8].try_into().expect("eight bytes"));
            let high = u64::from_le_bytes(head[8..].try_into().expect("eight bytes"));
            let (bytes, tail) = tail.split_at(usize::try_from(high - low).expect("64 bits"));
            memory.insert(low, bytes.to_vec());
            rest = tail;
        }
        Self { registers, address: word(17), memory }
    }

    fn read(&self, address: u64, length: usize) -> Option<&[u8]> {
        let (low, bytes) = self.memory.range(..=address).next_back()?;
        let offset = usize::try_from(address - low).ok()?;
        bytes.get(offset..offset.checked_add(length)?)
    }

    fn word_at(&self, address: u64) -> Option<u64> {
        self.read(address, 8)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// The frame at the fault, and for a bad call the one that made it.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        let sp = self.registers.get(Register::Rsp).expect("rsp is saved");
        let frame = |pc: Pc, sp: u64, registers: Registers, trust| Frame {
            pc,
            sp,
            cfa: None,
            registers,
            trust,
            stack: None,
            exception: None,
        };
        let rip = self.registers.rip;
        let mut frames =
            vec![frame(Pc::Interrupted(rip), sp, self.registers.clone(), Trust::Exact)];
        if rip == 0 {
            let back = self.word_at(sp).expect("a return address");
            let mut registers = self.registers.clone();
            registers.rip = back;
            registers.set(Register::Rsp, Some(sp + 8));
            frames.push(frame(Pc::Return(back), sp + 8, registers, Trust::Call));
        }
        frames
    }
}

/// The crashed program, as the analysis sees a machine.
pub(crate) struct UserScene<'a> {
    image: Image<'a>,
    crash: &'a Crash,
}

impl UserScene<'_> {
    pub(crate) fn line(&self, pc: u64) -> Option<u32> {
        self.image.source(pc).found()?.first()?.line
    }
}

impl Names for UserScene<'_> {
    fn image_at(&self, _address: u64) -> Option<&Image<'_>> {
        Some(&self.image)
    }
    fn kernel_image(&self) -> Option<&Image<'_>> {
        Some(&self.image)
    }
    fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        let symbol = self.image.symbol_at(address)?;
        Some((symbol.name, address - symbol.address))
    }
    fn per_cpu_symbol(&self, _offset: u64) -> Option<(String, u64)> {
        None
    }
}

impl Words for UserScene<'_> {
    fn word(&self, address: u64, size: u8) -> Option<u64> {
        let bytes = self.crash.read(address, usize::from(size))?;
        Some(bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
    }
    fn per_cpu_base(&self) -> Option<u64> {
        None
    }
}

impl Scene for UserScene<'_> {
    fn function_code(&self, pc: u64) -> Option<Code> {
        let function = self.image.function(pc).found()?;
        let ranges: Vec<(u64, &[u8])> = function
            .ranges
            .iter()
            .filter_map(|range| {
                let length = usize::try_from(range.end - range.start).ok()?;
                Some((range.start, self.crash.read(range.start, length)?))
            })
            .collect();
        Some(Code::decode(&ranges))
    }
    fn code_bytes(&self, address: u64) -> Vec<u8> {
        self.crash.read(address, 15).map(<[u8]>::to_vec).unwrap_or_default()
    }
    fn is_text(&self, address: u64) -> bool {
        self.image.function(address).is_found()
    }
    fn why_unreadable(&self, address: u64) -> Option<String> {
        self.crash.read(address, 1).is_none().then(|| "not mapped".to_owned())
    }
    fn keeps_registers(&self, _target: u64) -> bool {
        false
    }
}

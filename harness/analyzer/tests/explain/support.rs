// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles and runs programs that crash, and shows their crashes to the analysis.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use analyzer::express::Names;
use analyzer::flow::{Code, Words};
use analyzer::identify::{AddressRegion, Identity};
use analyzer::link::completed;
use analyzer::printer::{CodeName, CodeNames};
use analyzer::scene::Scene;
use analyzer::source_line::SourceLine;
use debuginfo::{CfaRule, CfiRule, Image};
use kernel::mm::PAGE;
use kernel::mm::caches::{Checks, SlabCache};
use kernel::mm::page::{Page, PageUse};
use kernel::mm::slab::Slab;
use kernel::mm::slab_layout::SlotPart;
use kernel::mm::slab_object::{ObjectState, SlabObject};
use kernel::mm::track::Track;
use kernel::{Level, Unreadable};
use tempfile::TempDir;
use unwind::{Frame, Pc, Register, Registers, Trust};
use vmcore::{Absent, PhysAddr};

/// Ways to compile that change how values travel.
pub(crate) const OPTIMISATIONS: [&str; 3] = ["-O1", "-O2", "-Os"];

/// The compiled program.
pub(crate) struct Victims {
    folder: TempDir,
    bytes: Vec<u8>,
    source: String,
    /// What the names of the module's functions begin with.
    prefix: &'static str,
}

/// What the program's author says is wrong.
pub(crate) struct Marked {
    pub(crate) line: u32,
    pub(crate) expression: String,
}

impl Victims {
    pub(crate) fn compile(optimisation: &str) -> Self {
        let flags = ["-fno-optimize-sibling-calls", "-fno-partial-inlining"];
        Self::compile_file("victims.c", &[&[optimisation], flags.as_slice()].concat(), "")
    }

    /// Compiles a source beside `victims.c`. Functions whose names begin with `prefix` are the module's,
    /// the others the kernel's.
    pub(crate) fn compile_file(name: &str, flags: &[&str], prefix: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explain");
        let source = sources.join(name);
        let program = folder.path().join("victims");
        let status = Command::new("gcc")
            .args(["-g", "-std=gnu11", "-no-pie", "-fno-pie", "-w"])
            // As the kernel is compiled.
            .args(["-fcf-protection=none", "-fno-strict-aliasing", "-fno-stack-protector"])
            .args(["-fno-asynchronous-unwind-tables", "-fno-delete-null-pointer-checks"])
            .args(flags)
            .arg(&source)
            .arg("-o")
            .arg(&program)
            .status()
            .expect("gcc is needed to build modules, and for this test");
        assert!(status.success(), "gcc failed");
        let bytes = fs::read(&program).expect("the program");
        let source = fs::read_to_string(source).expect("the source");
        Self { folder, bytes, source, prefix }
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

    /// The line of the root of a crash of that function.
    pub(crate) fn root(&self, function: &str) -> usize {
        let marker = format!("/* ROOT: {function} */");
        let found = self.source.lines().position(|line| line.contains(&marker));
        found.expect("a marker") + 1
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
        let image = Image::kernel(&self.bytes, 0).expect("an image");
        UserScene { image, crash, prefix: self.prefix }
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
    fn frames(&self) -> Vec<Frame> {
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
    prefix: &'static str,
}

impl UserScene<'_> {
    pub(crate) fn line(&self, pc: u64) -> Option<u32> {
        self.image.source(pc).found()?.first()?.line
    }
}

/// Registers that a function gives back as they were.
const KEPT: [Register; 6] =
    [Register::Rbx, Register::Rbp, Register::R12, Register::R13, Register::R14, Register::R15];

/// Words of the heap's table in the program: where an object starts, its size, whether it is free.
const OBJECTS: (&str, u64, u64) = ("objects", 8, 24);
/// In the last of them: the object was whole pages, and they are free.
const PAGES_ARE_FREE: u64 = 2;
/// In the last of them: the dump is made without the object.
const IS_LEFT_OUT: u64 = 3;
/// In the last of them: the allocator noted that the module allocated the object, as the first one there.
const IS_NOTED: u64 = 4;
/// In the last of them: the allocator neither fills nor clears the object.
const IS_BARE: u64 = 5;

impl UserScene<'_> {
    /// The frames at the fault by the call frame information, with those of functions that left none.
    pub(crate) fn walked(&self) -> Vec<Frame> {
        let mut frames = self.crash.frames();
        while let Some(next) = frames.last().and_then(|frame| self.caller(frame)) {
            frames.push(next);
        }
        completed(self, &frames)
    }

    /// The frame that called this one; `None` for the outermost of the program's own.
    fn caller(&self, frame: &Frame) -> Option<Frame> {
        let row = self.image.cfi(frame.pc.for_lookup()).found()?;
        let CfaRule::RegisterOffset { register, offset } = row.cfa else { return None };
        let base = frame.registers.get(Register::from_dwarf(register)?)?;
        let cfa = base.wrapping_add_signed(offset);
        let back = self.crash.word_at(cfa - 8)?;
        self.image.function(back).found()?;
        let mut registers = Registers::at(back, cfa);
        for register in KEPT {
            let number = (0..16).find(|number| Register::from_dwarf(*number) == Some(register));
            let rule = row.registers.get(usize::from(number?)).copied().flatten();
            registers.set(
                register,
                match rule {
                    Some(CfiRule::Offset(at)) => self.crash.word_at(cfa.wrapping_add_signed(at)),
                    _ => frame.registers.get(register),
                },
            );
        }
        let (pc, trust) = (Pc::Return(back), Trust::Cfi);
        Some(Frame { pc, sp: cfa, cfa: None, registers, trust, stack: None, exception: None })
    }

    /// The object of the program's heap that has the address.
    fn object(&self, address: u64) -> Option<SlabObject> {
        let (name, count, size) = OBJECTS;
        let table = self.image.symbol(name)?.address;
        (0..count).find_map(|index| {
            let word = |at: u64| self.crash.word_at(table + index * size + at);
            let (start, bytes) = (word(0)?, word(8)?);
            let offset = address.checked_sub(start).filter(|offset| *offset < bytes)?;
            let state = word(16).filter(|state| *state != PAGES_ARE_FREE)?;
            let mut object = slab_object(start, bytes, offset, state == 1);
            if state == IS_BARE {
                object.slab.cache.checks = Checks::default();
            }
            object.allocated = (state == IS_NOTED).then(|| self.noted());
            Some(object)
        })
    }

    /// A call of the allocator by the module.
    fn noted(&self) -> Track {
        let name = self.image.symbol_names(self.prefix, 1).pop().expect("a function");
        let caller = self.image.symbol(&name).expect("its symbol").address + 1;
        Track { caller, cpu: 0, pid: 1, when: 0, stack: Vec::new(), no_stack: None }
    }

    /// Whether the address is in an object whose last word in the table is that.
    fn is_in_object(&self, address: u64, state: u64) -> bool {
        let (name, count, size) = OBJECTS;
        let Some(table) = self.image.symbol(name).map(|symbol| symbol.address) else {
            return false;
        };
        let word = |index: u64, at: u64| self.crash.word_at(table + index * size + at);
        (0..count).any(|index| {
            let inside = word(index, 0).and_then(|start| address.checked_sub(start));
            inside.zip(word(index, 8)).is_some_and(|(inside, bytes)| inside < bytes)
                && word(index, 16) == Some(state)
        })
    }

    /// The page of an object that was whole pages, which are free.
    fn free_page(&self, address: u64) -> Option<Page> {
        self.is_in_object(address, PAGES_ARE_FREE).then_some(Page {
            frame: address / PAGE,
            address: 0,
            head: 0,
            order: 0,
            flags: 0,
            references: 0,
            maps: None,
            mapping: 0,
            index: 0,
            used_for: PageUse::Free { order: 1 },
        })
    }
}

fn slab_object(start: u64, bytes: u64, offset: u64, is_free: bool) -> SlabObject {
    let cache = SlabCache {
        address: 0,
        name: "heap".to_owned(),
        object_size: bytes,
        size: bytes,
        in_use: bytes,
        free_pointer: 0,
        left_pad: 0,
        secret: None,
        // As with `slub_debug=P`.
        checks: Checks { poison: true, contents: true, ..Checks::default() },
        per_cpu: None,
    };
    let slab =
        Slab { page: 0, base: start, bytes, objects: 1, in_use: 1, frozen: false, free: 0, cache };
    SlabObject {
        slab,
        place: None,
        index: 0,
        start,
        offset: offset.cast_signed(),
        part: SlotPart::Object,
        state: if is_free { ObjectState::Free } else { ObjectState::Allocated },
        damage: Vec::new(),
        allocated: None,
        freed: None,
        unknown: Vec::new(),
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
    fn per_cpu_symbol(&self, offset: u64) -> Option<(String, u64)> {
        (offset == 0).then(|| ("this_cpu_off".to_owned(), 0))
    }
}

impl CodeNames for UserScene<'_> {
    fn code_name(&self, address: u64) -> Option<CodeName> {
        let symbol = self.image.symbol_at(address)?;
        let offset = address - symbol.address;
        let is_own = !self.prefix.is_empty() && symbol.name.starts_with(self.prefix);
        let module = is_own.then(|| "mod".to_owned());
        Some(CodeName { symbol: symbol.name, offset, size: symbol.extent, module })
    }
}

impl Words for UserScene<'_> {
    fn word(&self, address: u64, size: u8) -> Option<u64> {
        if self.is_in_object(address, IS_LEFT_OUT) {
            return None;
        }
        let bytes = self.crash.read(address, usize::from(size))?;
        Some(bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)))
    }
    fn per_cpu_base(&self) -> Option<u64> {
        self.image.symbol("own_cpu").map(|symbol| symbol.address)
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
    fn unreadable(&self, address: u64) -> Option<Unreadable> {
        if self.is_in_object(address, IS_LEFT_OUT) {
            let physical = PhysAddr(address);
            let absent = Absent::Excluded { address: physical, dump_level: Some(31) };
            return Some(Unreadable::Absent { address, physical, absent });
        }
        let none = self.crash.read(address, 1).is_none();
        none.then_some(Unreadable::NotMapped { address, level: Level::Pte, entry: 0 })
    }
    fn functions_of(&self, _module: &str) -> Vec<u64> {
        let names = self.image.symbol_names(self.prefix, 256);
        let symbols = names.iter().filter_map(|name| self.image.symbol(name));
        let mut entries: Vec<u64> = symbols.map(|symbol| symbol.address).collect();
        entries.retain(|entry| self.is_text(*entry));
        entries.sort_unstable();
        entries
    }
    fn keeps_registers(&self, _target: u64) -> bool {
        false
    }
    fn is_outside(&self, address: u64) -> bool {
        self.symbol_at(address).is_some_and(|(name, _)| name.starts_with(self.prefix))
    }
    fn outside_functions(&self) -> Vec<u64> {
        let names = self.image.symbol_names(self.prefix, usize::MAX);
        let names = names.iter().filter(|_| !self.prefix.is_empty());
        names.filter_map(|name| Some(self.image.symbol(name)?.address)).collect()
    }
    fn source_line(&self, address: u64) -> Option<SourceLine> {
        let (file, line) = ("marked.c".to_owned(), self.line(address)?);
        Some(SourceLine { file, line, text: None })
    }
    fn may_be_address(&self, value: u64) -> bool {
        self.crash.read(value, 1).is_some()
    }
    fn identity(&self, address: u64) -> Option<Identity> {
        let mut identity = Identity::of_value(address);
        identity.symbol = self.code_name(address);
        identity.slab = self.object(address).map(Box::new);
        identity.page = self.free_page(address);
        if identity.page.is_some() {
            identity.region = AddressRegion::DirectMap;
        }
        Some(identity)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small kernel: structures laid out by the test, memory, a `vmlinux` with symbols and BTF.
//!
//! The BTF writer follows `Documentation/bpf/btf.rst`; all of it lies in the window of the
//! kernel's image, so that no page tables are needed.

use std::fmt::Write as _;

use analyzer::machine::Machine;
use debugger::{Files, Output, Session};
use synth::{Elf, Memory, notes};

/// Where the image's window starts; physical address 0 here.
pub(crate) const KERNEL_MAP: u64 = 0xffff_ffff_8000_0000;
/// Where the file's `.notes` are linked.
pub(crate) const NOTES: u64 = 0xffff_ffff_8120_0000;
/// Where the file's `linux_banner` is linked.
pub(crate) const BANNER: u64 = 0xffff_ffff_8130_0000;

/// What a member is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A number or pointer of that many bytes.
    Number(u32),
    /// A pointer to words.
    Words,
    /// An array of characters.
    Text(u32),
    /// A structure laid out before.
    One(&'static str),
    /// An array of a structure laid out before.
    Many(&'static str, u32),
}

/// A kernel to be dumped.
pub(crate) struct World {
    pub(crate) memory: Memory,
    pub(crate) info: String,
    symbols: Vec<(String, u64)>,
    types: Vec<u8>,
    strings: Vec<u8>,
    structures: Vec<(String, u32)>,
    count: u32,
    notes: Vec<u8>,
    banner: String,
    /// What the CPU's note has as its registers.
    pub(crate) registers: [u64; 27],
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            memory: Memory::new(),
            info: "OSRELEASE=6.1.0\nNUMBER(phys_base)=0\nKERNELOFFSET=0\n".to_owned(),
            symbols: Vec::new(),
            types: Vec::new(),
            strings: vec![0],
            structures: Vec::new(),
            count: 0,
            notes: Vec::new(),
            banner: "Linux version 6.1.0 (nobody@nowhere) #1".to_owned(),
            registers: [0; 27],
        }
    }

    /// Writes to the memory at a virtual address of the window.
    pub(crate) fn put(&mut self, address: u64, bytes: &[u8]) {
        self.memory.write(address - KERNEL_MAP, bytes);
    }

    pub(crate) fn put_u64(&mut self, address: u64, value: u64) {
        self.put(address, &value.to_le_bytes());
    }

    pub(crate) fn put_u32(&mut self, address: u64, value: u32) {
        self.put(address, &value.to_le_bytes());
    }

    /// Links `list_head`s into a ring, the first one being the head.
    pub(crate) fn ring(&mut self, links: &[u64]) {
        for (index, link) in links.iter().enumerate() {
            self.put_u64(*link, links[(index + 1) % links.len()]);
        }
    }

    pub(crate) fn symbol(&mut self, name: &str, address: u64) {
        self.symbols.push((name.to_owned(), address));
    }

    /// The file's build-id.
    pub(crate) fn build_id(&mut self, id: &[u8]) {
        self.notes = notes::note("GNU", 3, id);
    }

    /// The file's `linux_banner`.
    pub(crate) fn banner(&mut self, text: &str) {
        text.clone_into(&mut self.banner);
    }

    /// Lays a structure out.
    pub(crate) fn structure(
        &mut self,
        name: &'static str,
        size: u32,
        members: &[(&str, u32, Kind)],
    ) {
        let kinds: Vec<u32> = members.iter().map(|(_, _, kind)| self.kind(*kind)).collect();
        let count = u32::try_from(members.len()).expect("few members");
        let name_at = self.string(name);
        let number = self.push(&[name_at, 4 << 24 | count, size]);
        for ((member, offset, _), kind) in members.iter().zip(kinds) {
            let member = self.string(member);
            self.words(&[member, kind, offset * 8]);
        }
        self.structures.push((name.to_owned(), number));
    }

    /// Lays a structure of bit-fields out: name, lowest bit, number of bits.
    pub(crate) fn bits(&mut self, name: &'static str, size: u32, members: &[(&str, u32, u32)]) {
        let word = self.number(size);
        let count = u32::try_from(members.len()).expect("few members");
        let name_at = self.string(name);
        let number = self.push(&[name_at, 1 << 31 | 4 << 24 | count, size]);
        for (member, bit, bits) in members {
            let member = self.string(member);
            self.words(&[member, word, bits << 24 | bit]);
        }
        self.structures.push((name.to_owned(), number));
    }

    /// Names values.
    pub(crate) fn enumeration(&mut self, name: &str, values: &[(&str, u32)]) {
        let count = u32::try_from(values.len()).expect("few values");
        let name = self.string(name);
        self.push(&[name, 6 << 24 | count, 4]);
        for (name, value) in values {
            let name = self.string(name);
            self.words(&[name, *value]);
        }
    }

    /// Number of the BTF type of a member.
    fn kind(&mut self, kind: Kind) -> u32 {
        match kind {
            Kind::Number(size) => self.number(size),
            Kind::Words => {
                let word = self.number(8);
                self.push(&[0, 2 << 24, word])
            }
            Kind::Text(count) => {
                let byte = self.number(1);
                self.array(byte, count)
            }
            Kind::One(name) => self.named(name),
            Kind::Many(name, count) => {
                let element = self.named(name);
                self.array(element, count)
            }
        }
    }

    fn named(&self, name: &str) -> u32 {
        self.structures.iter().find(|known| known.0 == name).expect("laid out before").1
    }

    fn number(&mut self, size: u32) -> u32 {
        let name = self.string(&format!("number{size}"));
        let number = self.push(&[name, 1 << 24, size]);
        self.words(&[size * 8]);
        number
    }

    fn array(&mut self, element: u32, count: u32) -> u32 {
        let number = self.push(&[0, 3 << 24, 0]);
        self.words(&[element, element, count]);
        number
    }

    fn push(&mut self, words: &[u32]) -> u32 {
        self.words(words);
        self.count += 1;
        self.count
    }

    fn words(&mut self, words: &[u32]) {
        self.types.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    fn string(&mut self, text: &str) -> u32 {
        let at = u32::try_from(self.strings.len()).expect("short");
        self.strings.extend(text.as_bytes());
        self.strings.push(0);
        at
    }

    /// The dump, with one CPU's note.
    pub(crate) fn dump(&self) -> Vec<u8> {
        let mut elf = Elf::of(&self.memory, 0);
        elf.notes = notes::prstatus(1, &self.registers);
        elf.notes.extend(notes::vmcoreinfo(&self.info));
        elf.write()
    }

    /// The `vmlinux`.
    pub(crate) fn vmlinux(&self) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).expect("small");
        let mut btf = vec![0x9f, 0xeb, 1, 0];
        let (types, strings) = (length(&self.types), length(&self.strings));
        for word in [24, 0, types, types, strings] {
            btf.extend(word.to_le_bytes());
        }
        btf.extend(&self.types);
        btf.extend(&self.strings);

        let mut names = vec![0];
        let mut table = vec![0; 24];
        let banner = [("linux_banner".to_owned(), BANNER)];
        for (name, address) in self.symbols.iter().chain(&banner) {
            table.extend(length(&names).to_le_bytes());
            table.extend([0x11, 0, 1, 0]);
            table.extend(address.to_le_bytes());
            table.extend(8_u64.to_le_bytes());
            names.extend(name.as_bytes());
            names.push(0);
        }
        let mut banner = self.banner.clone().into_bytes();
        banner.push(0);
        executable(&[
            (".text", 1, 6, KERNEL_MAP + 0x100_0000, &[0; 16]),
            (".notes", 7, 2, NOTES, &self.notes),
            (".rodata", 1, 2, BANNER, &banner),
            (".BTF", 1, 0, 0, &btf),
            (".strtab", 3, 0, 0, &names),
            (".symtab", 2, 0, 0, &table),
        ])
    }
}

/// An ELF executable of sections: name, type, flags, address, bytes. `.symtab` follows `.strtab`.
fn executable(sections: &[(&str, u32, u64, u64, &[u8])]) -> Vec<u8> {
    let mut file = vec![0; 64];
    let mut headers = vec![0; 64];
    let mut names = vec![0];
    let mut header = |file: &mut Vec<u8>, name: &str, kind: u32, rest: [u64; 2], bytes: &[u8]| {
        headers.extend(u32::try_from(names.len()).expect("short").to_le_bytes());
        names.extend(name.as_bytes());
        names.push(0);
        let bytes = if name == ".shstrtab" { names.clone() } else { bytes.to_vec() };
        headers.extend(kind.to_le_bytes());
        for word in [rest[0], rest[1], file.len() as u64, bytes.len() as u64] {
            headers.extend(word.to_le_bytes());
        }
        let link = if kind == 2 { 5_u32 } else { 0 };
        headers.extend(link.to_le_bytes());
        headers.extend(0_u32.to_le_bytes());
        headers.extend(4_u64.to_le_bytes());
        headers.extend(if kind == 2 { 24_u64 } else { 0 }.to_le_bytes());
        file.extend(&bytes);
        file.resize(file.len().next_multiple_of(8), 0);
    };
    for (name, kind, flags, address, bytes) in sections {
        header(&mut file, name, *kind, [*flags, *address], bytes);
    }
    header(&mut file, ".shstrtab", 3, [0, 0], &[]);
    let table = file.len() as u64;
    file.extend(&headers);
    let count = u16::try_from(sections.len() + 2).expect("few");
    file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(16, &[2, 0, 62, 0, 1]);
    put(40, &table.to_le_bytes());
    put(52, &[64, 0, 56, 0, 0, 0, 64, 0]);
    put(60, &count.to_le_bytes());
    put(62, &(count - 1).to_le_bytes());
    file
}

/// `text` padded with zeros.
pub(crate) fn padded(text: &str, size: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(size, 0);
    bytes
}

/// Opens the world's dump with its own `vmlinux` and calls `look`.
pub(crate) fn with_kernel(world: &World, look: impl FnOnce(&kernel::Kernel<'_>)) {
    let (dump, file) = (world.dump(), world.vmlinux());
    let bytes = dump.as_slice();
    let core = vmcore::Vmcore::open(&bytes).expect("a dump");
    look(&kernel::Kernel::open(&core, Some((&file).into())).expect("a kernel"));
}

/// What commands answer about the world, one after the other.
pub(crate) fn answers(world: &World, line: &str) -> Vec<Output> {
    let mut outputs = Vec::new();
    with_kernel(world, |kernel| {
        let machine = Machine::new(kernel);
        outputs = Session::new(&machine, Files::default()).run(line);
    });
    outputs
}

/// The same as one text.
pub(crate) fn said(world: &World, line: &str) -> String {
    answers(world, line).iter().map(Output::text).collect()
}

/// Adds a line to VMCOREINFO.
pub(crate) fn say(world: &mut World, line: &str) {
    writeln!(world.info, "{line}").expect("writing to a string does not fail");
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a text and the files that belong to it tell of the crashed machine: code, names, types, some
//! words of the stack. All other memory is not there.

use std::cell::RefCell;
use std::collections::BTreeSet;

use debuginfo::Image;
use iced_x86::{Decoder, DecoderOptions};
use klog::{CodeBytes, Place};

use super::files::TextFiles;
use super::names::Names as Places;
use crate::crash_scene::{TRANSPARENT, module_line};
use crate::express::Names;
use crate::flow::{Code, MAX_CODE_BYTES, Words};
use crate::gone::{Gone, Was};
use crate::identify::{AddressRegion, Identity, StackOwner, StackPlace};
use crate::medium::Medium;
use crate::outside::is_outside;
use crate::printer::{CodeName, CodeNames};
use crate::scene::Scene;
use crate::source_line::SourceLine;
use kernel::Unreadable;
use unwind::{Stack, StackKind};

/// Bytes of a task's stack on x86-64, and what they are aligned to (`THREAD_SIZE`, 3.15 and later, and
/// RHEL's 3.10).
const THREAD_SIZE: u64 = 16 << 10;
/// Longest instruction of x86-64, in bytes.
const LONGEST_INSTRUCTION: u64 = 15;

/// The machine that a text tells of.
pub(super) struct TextScene<'a> {
    pub(super) files: TextFiles<'a>,
    pub(super) places: RefCell<Places>,
    /// Addresses that the text itself has.
    pub(super) real: RefCell<BTreeSet<u64>>,
    /// Modules with their taint letters, where the text lists them.
    pub(super) taints: Option<klog::Modules>,
    /// Whether the kernel says that a module from outside of its tree was loaded; `None` if it says
    /// nothing.
    pub(super) is_tainted: Option<bool>,
    /// Where the code bytes of the text lie.
    pub(super) code: Option<(u64, CodeBytes)>,
    /// Where the words of the stack lie that the text has.
    pub(super) stack: Option<(u64, Vec<u64>)>,
    /// Who ran: id and name.
    pub(super) task: Option<(i32, String)>,
    /// The address of which the processor would fetch no instruction.
    pub(super) not_code: Option<u64>,
    /// The error code that the processor gave.
    pub(super) error_code: Option<u64>,
}

impl TextScene<'_> {
    /// The address of a place: the files', the text's own, or a made one.
    pub(super) fn locate(&self, place: &Place) -> Option<u64> {
        let found = match self.files.place(place) {
            Some(found) => {
                // The text's own name, of several that the function has.
                self.places.borrow_mut().learn(place, found);
                found
            }
            None => self.places.borrow_mut().place(place)?,
        };
        if place.address == Some(found) {
            self.real.borrow_mut().insert(found);
        }
        Some(found)
    }

    /// Letters of the module's taint, where the text has them.
    pub(super) fn taint(&self, module: &str) -> Option<&str> {
        let listed = self.taints.as_ref()?.loaded.iter().find(|listed| listed.name == module)?;
        Some(&listed.taint)
    }

    /// Whether the module is from outside of the kernel's tree. One that the text does not list is, if
    /// the kernel has one.
    pub(super) fn is_own(&self, module: &str) -> bool {
        match self.taint(module) {
            Some(letters) => is_outside(letters),
            None => self.is_tainted.unwrap_or(true),
        }
    }

    /// The place on the stack of who ran, which the stack pointer tells.
    fn stack_place(&self, address: u64) -> Option<StackPlace> {
        let (pointer, _) = self.stack.as_ref()?;
        let low = pointer & !(THREAD_SIZE - 1);
        let stack = Stack { kind: StackKind::Task, low, high: low.checked_add(THREAD_SIZE)? };
        let (pid, comm) = self.task.clone()?;
        let owner = StackOwner::Task { pid, comm, address: 0 };
        let is_on = (stack.low..stack.high).contains(&address);
        is_on.then_some(StackPlace { stack, owner, guard: false })
    }

    /// Bytes of code at the address.
    fn bytes(&self, address: u64, length: u64) -> Option<Vec<u8>> {
        if let Some(bytes) = self.files.bytes(address, length) {
            return Some(bytes);
        }
        let (start, code) = self.code.as_ref()?;
        let at = usize::try_from(address.checked_sub(*start)?).ok()?;
        let rest = code.bytes.get(at..)?;
        let wanted = usize::try_from(length).ok()?.min(rest.len());
        Some(rest.get(..wanted)?.to_vec()).filter(|bytes| !bytes.is_empty())
    }

    /// The function's ranges of code, the one with the entry first.
    fn ranges(&self, pc: u64) -> Option<Vec<(u64, u64)>> {
        let function = self.image_at(pc)?.function(pc).found()?;
        let mut ranges: Vec<(u64, u64)> =
            function.ranges.iter().map(|range| (range.start, range.end)).collect();
        ranges.sort_by_key(|range| range.0 != function.low_pc);
        Some(ranges)
    }

    /// Whether the instruction that the text has the bytes of is the file's, too. The kernel changes some
    /// code while it runs; an instruction that faults is none of that.
    pub(super) fn differs(&self) -> bool {
        let Some((start, code)) = &self.code else { return false };
        let at = start.wrapping_add(u64::try_from(code.before).unwrap_or(0));
        let told = code.bytes.get(code.before..).unwrap_or_default();
        let Some(ours) = self.files.bytes(at, LONGEST_INSTRUCTION) else { return false };
        let length =
            |bytes: &[u8]| Decoder::with_ip(64, bytes, at, DecoderOptions::NONE).decode().len();
        let length = length(told).min(told.len());
        // Bytes that the loader fills in may be laid elsewhere here.
        let opcode = length.min(2);
        told.get(..opcode) != ours.get(..opcode)
    }
}

impl CodeNames for TextScene<'_> {
    fn code_name(&self, address: u64) -> Option<CodeName> {
        if let Some((made, offset)) = self.places.borrow().at(address) {
            return Some(CodeName {
                symbol: made.name.clone(),
                offset,
                size: made.size.unwrap_or(0),
                module: made.module.clone(),
            });
        }
        let (image, module) = self.files.at(address)?;
        let symbol = image.symbol_at(address)?;
        let offset = address.checked_sub(symbol.address)?;
        Some(CodeName { symbol: symbol.name, offset, size: symbol.extent, module })
    }

    /// Code without a name in the area of the modules is of one that is not there any more: the kernel
    /// would have named it.
    fn gone_code(&self, address: u64) -> Option<Gone> {
        let is_told = self.real.borrow().contains(&address);
        if !is_told || !MODULES.contains(&address) || self.code_name(address).is_some() {
            return None;
        }
        let last = self.taints.as_ref()?.last_unloaded.as_ref();
        Some(last.map_or(Gone::GivenBack, |_| Gone::Unloaded {
            or: None,
            was: Was::default(),
            is_shown: true,
        }))
    }
}

/// Where modules lie (`MODULES_VADDR`, with and without KASLR, to `MODULES_END`).
const MODULES: std::ops::Range<u64> = 0xffff_ffff_a000_0000..0xffff_ffff_ff00_0000;

impl Names for TextScene<'_> {
    fn image_at(&self, address: u64) -> Option<&Image<'_>> {
        self.files.at(address).map(|(image, _)| image)
    }

    fn kernel_image(&self) -> Option<&Image<'_>> {
        self.files.kernel()
    }

    fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        self.code_name(address).map(|name| (name.symbol, name.offset))
    }

    fn per_cpu_symbol(&self, offset: u64) -> Option<(String, u64)> {
        let symbol = self.files.kernel()?.per_cpu_symbol_at(offset)?;
        Some((symbol.name, offset.checked_sub(symbol.address)?))
    }
}

impl Words for TextScene<'_> {
    fn word(&self, address: u64, size: u8) -> Option<u64> {
        let (start, words) = self.stack.as_ref()?;
        let at = usize::try_from(address.checked_sub(*start)?).ok()?;
        let word = words.get(at / 8).filter(|_| at.is_multiple_of(8))?;
        match size {
            8 => Some(*word),
            1 | 2 | 4 => Some(word & ((1 << (8 * u32::from(size))) - 1)),
            _ => None,
        }
    }

    fn per_cpu_base(&self) -> Option<u64> {
        None
    }
}

impl Scene for TextScene<'_> {
    fn medium(&self) -> Medium {
        Medium::Text
    }

    fn function_code(&self, pc: u64) -> Option<Code> {
        let mut pieces: Vec<(u64, Vec<u8>)> = Vec::new();
        for (start, end) in self.ranges(pc)? {
            let length = end.checked_sub(start).filter(|&length| length <= MAX_CODE_BYTES)?;
            pieces.push((start, self.files.bytes(start, length)?));
        }
        let ranges: Vec<(u64, &[u8])> =
            pieces.iter().map(|(start, bytes)| (*start, bytes.as_slice())).collect();
        Some(Code::decode(&ranges).without_returns(|target| self.is_final(target)))
    }

    fn function_entry(&self, pc: u64) -> Option<u64> {
        if let Some(ranges) = self.ranges(pc) {
            return ranges.first().map(|(start, _)| *start);
        }
        let (_, offset) = self.symbol_at(pc)?;
        pc.checked_sub(offset)
    }

    fn code_bytes(&self, address: u64) -> Vec<u8> {
        (1..=LONGEST_INSTRUCTION)
            .rev()
            .find_map(|length| self.bytes(address, length))
            .unwrap_or_default()
    }

    fn is_text(&self, address: u64) -> bool {
        if self.not_code == Some(address) {
            return false;
        }
        match self.files.at(address) {
            Some((image, Some(_))) => image.is_text(address),
            _ => self.files.is_text(address) || self.places.borrow().at(address).is_some(),
        }
    }

    fn gone(&self, address: u64) -> Option<Gone> {
        self.gone_code(address)
    }

    fn outside_functions(&self) -> Vec<u64> {
        self.files.functions(|module| self.is_own(module))
    }

    fn is_outside(&self, address: u64) -> bool {
        self.code_name(address)
            .and_then(|name| name.module)
            .is_some_and(|module| self.is_own(&module))
    }

    fn identity(&self, address: u64) -> Option<Identity> {
        let gone = self.gone_code(address);
        let stack = self.stack_place(address);
        Some(Identity { region: region(address), gone, stack, ..Identity::of_value(address) })
    }

    fn source_line(&self, address: u64) -> Option<SourceLine> {
        module_line(self, address)
    }

    fn error_code(&self) -> Option<u64> {
        self.error_code
    }

    fn unreadable(&self, address: u64) -> Option<Unreadable> {
        match region(address) {
            AddressRegion::NonCanonical => Some(Unreadable::NonCanonical { address }),
            AddressRegion::User => Some(Unreadable::User { address }),
            _ if self.word(address, 8).is_some() => None,
            _ => Some(Unreadable::Text { address }),
        }
    }

    fn keeps_registers(&self, target: u64) -> bool {
        self.symbol_at(target).is_some_and(|(name, _)| TRANSPARENT.contains(&name.as_str()))
    }
}

/// The part of the address space, as far as the address alone tells.
fn region(address: u64) -> AddressRegion {
    match address >> 47 {
        0 => AddressRegion::User,
        0x1_ffff => AddressRegion::Other,
        // With five levels of page tables the kernel's half is larger; poison has other bits.
        _ if address >> 56 == 0xff => AddressRegion::Other,
        _ => AddressRegion::NonCanonical,
    }
}

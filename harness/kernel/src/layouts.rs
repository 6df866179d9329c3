// SPDX-License-Identifier: MIT OR Apache-2.0
//! Layouts that are known without debug information, checked against the dump before use.

use debuginfo::Image;

use super::layouts_of_3_10::{Kind, STRUCTURES};
use super::memory::VirtualMemory;
use super::{Kernel, Unavailable};

/// Lowest address of modules (`MODULES_VADDR`), with and without KASLR.
const MODULES: u64 = 0xffff_ffff_a000_0000;
/// Bytes of a module that are believed.
const MAX_MODULE: u64 = 256 << 20;
/// Kinds of BTF types (`include/uapi/linux/btf.h`).
const INT: u32 = 1 << 24;
const ARRAY: u32 = 3 << 24;
const STRUCT: u32 = 4 << 24;

impl Kernel<'_> {
    /// The layouts of CentOS 7's kernel, if this dump is of one that has them and nothing else
    /// tells its layouts.
    pub(super) fn known_layouts(&self) -> Option<&Image<'static>> {
        let find = || {
            let release = self.info().os_release()?;
            let is_el7 = release.starts_with("3.10.0-") && release.contains(".el7");
            let image = is_el7.then(|| Image::types(encoded()).ok()).flatten()?;
            fits(self, &image).ok().filter(|fits| *fits).map(|_| image)
        };
        self.layouts.get_or_init(|| self.by_tables_alone(find)).as_ref()
    }
}

/// Whether the first task, the boot CPU's run queue and the first module look as the layouts say.
fn fits(kernel: &Kernel<'_>, image: &Image<'_>) -> Result<bool, Unavailable> {
    let read = |base: u64, structure: &str, member: &str| {
        let name = || Unavailable::Type(format!("{structure}.{member}"));
        let field = image.member(structure, member).found().ok_or_else(name)?;
        let value = kernel.read_number(base.wrapping_add(field.offset), field.size);
        value.map_err(|source| Unavailable::memory(structure, source))
    };
    let task = kernel.symbol("init_task")?;
    let name = image.member("task_struct", "comm").found().map_or(0, |field| field.offset);
    let name = kernel.read_string(task.wrapping_add(name), 16);
    let stack = read(task, "task_struct", "stack")?;
    // Not by the CPUs that are possible: the size of that mask is one of these layouts.
    let offset = kernel.read_u64(kernel.symbol("__per_cpu_offset")?);
    let offset = offset.map_err(|source| Unavailable::memory("__per_cpu_offset", source))?;
    let queue = kernel.symbol("runqueues")?.wrapping_add(offset);
    let second = read(task, "task_struct", "tasks.next")?;
    let links = image.member("task_struct", "tasks").found().map_or(0, |field| field.offset);
    let is_task = name.is_ok_and(|name| name.starts_with("swapper"))
        && read(stack, "thread_info", "task")? == task
        && read(queue, "rq", "idle")? == task
        && read(second, "list_head", "prev")? == task.wrapping_add(links);
    let head = kernel.symbol("modules")?;
    let first = read(head, "list_head", "next")?;
    if first == head {
        return Ok(is_task);
    }
    let links = image.member("module", "list").found().map_or(0, |field| field.offset);
    let module = first.wrapping_sub(links);
    let core = read(module, "module", "module_core")?;
    let size = read(module, "module", "core_size")?;
    let text = read(module, "module", "core_text_size")?;
    let is_module = core >= MODULES
        && core.is_multiple_of(4096)
        && (1..MAX_MODULE).contains(&size)
        && text <= size;
    Ok(is_task && is_module)
}

/// The structures as BTF (`Documentation/bpf/btf.rst`), which the readers of layouts know.
fn encoded() -> Vec<u8> {
    let mut types = Types { bytes: Vec::new(), strings: vec![0], count: 0 };
    let mut numbers = Vec::new();
    for (name, size, members) in STRUCTURES {
        let kinds: Vec<u32> = members
            .iter()
            .map(|(_, _, kind)| match kind {
                Kind::Bytes(size @ (1 | 2 | 4 | 8)) => types.number(*size),
                Kind::Bytes(size) => types.array(*size),
                Kind::Of(other) => numbers
                    .iter()
                    .find(|(known, _)| known == other)
                    .map_or(0, |(_, number)| *number),
            })
            .collect();
        let words: Vec<[u32; 3]> = members
            .iter()
            .zip(kinds)
            .map(|((member, offset, _), kind)| [types.string(member), kind, offset * 8])
            .collect();
        let vlen = u32::try_from(members.len()).unwrap_or(0);
        let head = [types.string(name), STRUCT | vlen, size];
        numbers.push((name, types.push(&head)));
        words.iter().for_each(|words| types.words(words));
    }
    types.file()
}

/// Types as they are written.
struct Types {
    bytes: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
}

impl Types {
    fn words(&mut self, words: &[u32]) {
        self.bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    /// A new type; its number.
    fn push(&mut self, words: &[u32]) -> u32 {
        self.words(words);
        self.count += 1;
        self.count
    }

    fn string(&mut self, text: &str) -> u32 {
        let at = u32::try_from(self.strings.len()).unwrap_or(0);
        self.strings.extend(text.bytes().chain([0]));
        at
    }

    fn number(&mut self, size: u32) -> u32 {
        let name = self.string("number");
        self.push(&[name, INT, size, size * 8])
    }

    fn array(&mut self, bytes: u32) -> u32 {
        let element = self.number(1);
        self.push(&[0, ARRAY, 0, element, element, bytes])
    }

    fn file(self) -> Vec<u8> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(0);
        let (types, strings) = (length(&self.bytes), length(&self.strings));
        let mut file = vec![0x9f, 0xeb, 1, 0];
        let header = [24, 0, types, types, strings];
        file.extend(header.iter().flat_map(|word: &u32| word.to_le_bytes()));
        file.extend(self.bytes);
        file.extend(self.strings);
        file
    }
}

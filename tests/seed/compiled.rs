// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel and the two modules, compiled and linked: as files with debug information, and once
//! more at the addresses where they ran.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget};

/// What KASLR added to the kernel's addresses.
pub(crate) const MOVED: u64 = 0x1780_0000;
/// Sections of process.ko and akfs.ko, and where they were.
pub(crate) const PROCESS: [(&str, u64); 2] =
    [(".text", 0xffff_ffff_c04e_8000), (".bss", 0xffff_ffff_c04e_a618)];
pub(crate) const AKFS: [(&str, u64); 2] =
    [(".text", 0xffff_ffff_c047_e000), (".data", 0xffff_ffff_c048_1060)];
/// The members of `akfs_operation_t` in their order, with what they pointed to.
pub(crate) const OPERATIONS: [(&str, u64); 19] = [
    ("init", 0xffff_ffff_c047_f550),
    ("reg", 0xffff_ffff_c047_f620),
    ("unreg", 0xffff_ffff_c047_f740),
    ("alloc", 0xffff_ffff_c047_f340),
    ("free", 0xffff_ffff_c047_f360),
    ("put", 0xffff_ffff_c047_f5b0),
    ("get_fpath", 0xffff_ffff_c047_e780),
    ("get_dpath", 0xffff_ffff_c047_e850),
    ("get_ipath", 0xffff_ffff_c047_e8f0),
    ("get_ppath", 0xffff_ffff_c047_e6c0),
    ("get_tpath", 0xffff_ffff_c047_e930),
    ("get_args", 0xffff_ffff_c047_ebd0),
    ("get_cmdline", 0xffff_ffff_c047_ea30),
    ("get_thash", 0xffff_ffff_c047_edb0),
    ("get_fhash", 0),
    ("get_timestamp", 0xffff_ffff_c047_ee20),
    ("get_unixts", 0xffff_ffff_c047_eee0),
    ("get_meta", 0xffff_ffff_c047_ef20),
    ("get_stop_status", 0xffff_ffff_c047_f820),
];
/// Functions of the kernel at the addresses where they ran: name, start, a return address inside,
/// size. Where the log says the offset it is that, else it is made up.
const FUNCTIONS: [(&str, u64, u64, u64); 16] = [
    ("machine_kexec", 0xffff_ffff_9886_6100, 0xffff_ffff_9886_62c4, 0x240),
    ("no_context", 0xffff_ffff_9887_5c00, 0xffff_ffff_9887_5d14, 0x280),
    ("__bad_area_nosemaphore", 0xffff_ffff_9887_5f00, 0xffff_ffff_9887_5fe2, 0x1d0),
    ("__crash_kexec", 0xffff_ffff_9892_29c0, 0xffff_ffff_9892_2a32, 0x110),
    ("crash_kexec", 0xffff_ffff_9892_2af0, 0xffff_ffff_9892_2b20, 0x50),
    ("search_binary_handler", 0xffff_ffff_98a5_5850, 0xffff_ffff_98a5_587a, 0x1c0),
    ("do_execve_common.isra.23", 0xffff_ffff_98a5_67c0, 0xffff_ffff_98a5_6dd6, 0x880),
    ("SyS_execve", 0xffff_ffff_98a5_72c0, 0xffff_ffff_98a5_72e9, 0x30),
    ("security_bprm_check", 0xffff_ffff_98b0_8a80, 0xffff_ffff_98b0_8a85, 0x30),
    ("bad_area", 0xffff_ffff_98f7_c9c0, 0xffff_ffff_98f7_ca01, 0x60),
    ("async_page_fault", 0xffff_ffff_98f8_c780, 0xffff_ffff_98f8_c7a8, 0x30),
    ("oops_end", 0xffff_ffff_98f8_d700, 0xffff_ffff_98f8_d798, 0x110),
    ("do_async_page_fault", 0xffff_ffff_98f8_ff60, 0xffff_ffff_98f8_ffa2, 0x90),
    ("__do_page_fault", 0xffff_ffff_98f9_0480, 0xffff_ffff_98f9_08b7, 0x4c0),
    ("trace_do_page_fault", 0xffff_ffff_98f9_0990, 0xffff_ffff_98f9_0a26, 0x110),
    ("stub_execve", 0xffff_ffff_98f9_64f0, 0xffff_ffff_98f9_6538, 0x80),
];
/// Those that are the entry code's and have no frame.
const STUBS: [&str; 2] = ["async_page_fault", "stub_execve"];
/// Where the kernel's variables are.
const DATA: u64 = 0xffff_ffff_9980_0000;

const OPTIONS: [&str; 19] = [
    "-O2",
    "-g",
    "-gdwarf-4",
    "-mcmodel=kernel",
    "-fno-pic",
    "-ffreestanding",
    "-fno-omit-frame-pointer",
    "-fno-stack-protector",
    "-mindirect-branch=thunk-extern",
    "-mindirect-branch-register",
    "-fno-asynchronous-unwind-tables",
    "-fcf-protection=none",
    "-mno-sse",
    "-mno-red-zone",
    "-fno-inline-small-functions",
    "-fno-ipa-sra",
    "-fno-toplevel-reorder",
    "-Wall",
    "-c",
];

/// A folder with what was compiled.
pub(crate) struct Compiled<'f> {
    folder: &'f Path,
}

/// The bytes at the addresses where they ran, with the symbols.
pub(crate) struct Image {
    /// Address and bytes of each section.
    pub(crate) sections: Vec<(u64, Vec<u8>)>,
    pub(crate) symbols: BTreeMap<String, u64>,
}

impl<'f> Compiled<'f> {
    /// Compiles all of it.
    pub(crate) fn new(folder: &'f Path) -> Self {
        let here = Self { folder };
        here.compile(Path::new("kernel.c"), "kernel.o", &[]);
        here.assemble("entry", &functions());
        here.assemble("akfs", &akfs());
        here.process();
        here
    }

    /// The file of the kernel, linked where it is without KASLR.
    pub(crate) fn vmlinux(&self) -> PathBuf {
        self.link("vmlinux", MOVED, &[])
    }

    /// Everything where it ran.
    pub(crate) fn image(&self) -> Image {
        let bytes = fs::read(self.link("memory", 0, &["process.o", "akfs.o"])).unwrap();
        let file = object::File::parse(bytes.as_slice()).unwrap();
        // Debug information is at no address, and what each CPU has is at 0.
        let is_loaded =
            |it: &object::Section<'_, '_>| it.address() != 0 || it.name() == Ok(".data..percpu");
        let loaded = file.sections().filter(is_loaded);
        let bytes_of = |section: &object::Section<'_, '_>| {
            let mut bytes = section.data().unwrap().to_vec();
            bytes.resize(usize::try_from(section.size()).unwrap(), 0);
            (section.address(), bytes)
        };
        let symbols = file.symbols().filter_map(|it| Some((it.name().ok()?.into(), it.address())));
        Image {
            sections: loaded.map(|section| bytes_of(&section)).collect(),
            symbols: symbols.collect(),
        }
    }

    /// The module of the example, filled up until its calls return to where they did.
    fn process(&self) {
        let mut pads = BTreeMap::from([("FRONT", 1), ("BACK", 1), ("HOOK", 1), ("HOOK_BACK", 1)]);
        for _ in 0..3 {
            let define: Vec<String> =
                pads.iter().map(|(name, count)| format!("-D{name}={count}")).collect();
            self.compile(Path::new("capacity.c"), "process.o", &define);
            let bytes = fs::read(self.folder.join("process.o")).unwrap();
            let [put, put_size, hook, hook_size] = measured(&bytes);
            // As the log has them: +0xf8/0x130 and +0x36/0x60.
            for (name, found, wanted) in [
                ("FRONT", put, 0xf8),
                ("BACK", put_size - put, 0x130 - 0xf8),
                ("HOOK", hook, 0x36),
                ("HOOK_BACK", hook_size - hook, 0x60 - 0x36),
            ] {
                *pads.get_mut(name).unwrap() += wanted - found;
            }
        }
        fs::copy(self.folder.join("process.o"), self.folder.join("process.ko")).unwrap();
        fs::copy(self.folder.join("akfs.o"), self.folder.join("akfs.ko")).unwrap();
    }

    fn compile(&self, source: &Path, output: &str, more: &[String]) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seed");
        let mut command = Command::new("gcc");
        command.args(OPTIONS).args(more);
        // The path that the module was built in, with its `.` in the middle.
        let map = format!("-fdebug-prefix-map={}=/usr/src/akps/./src", folder.display());
        command.arg(map).arg("-o").arg(self.folder.join(output)).arg(folder.join(source));
        run(&mut command);
    }

    fn assemble(&self, name: &str, text: &str) {
        let source = self.folder.join(format!("{name}.s"));
        fs::write(&source, text).unwrap();
        let output = self.folder.join(format!("{name}.o"));
        run(Command::new("as").arg("-o").arg(output).arg(source));
    }

    fn link(&self, name: &str, back: u64, modules: &[&str]) -> PathBuf {
        let script = self.folder.join(format!("{name}.lds"));
        fs::write(&script, script_of(back, !modules.is_empty())).unwrap();
        let output = self.folder.join(name);
        let mut command = Command::new("ld");
        command.current_dir(self.folder).args(["-static", "--no-check-sections", "-e", "_stext"]);
        command.arg("-T").arg(script).arg("-o").arg(&output).args(["kernel.o", "entry.o"]);
        run(command.args(modules));
        output
    }
}

/// In process.ko: where in `process_bprm_put` the fourth call through a pointer returns to and the
/// function's size, and where in its caller the call of it returns to and that one's size.
fn measured(bytes: &[u8]) -> [i64; 4] {
    let file = object::File::parse(bytes).unwrap();
    let symbol = |name: &str| {
        let found = file.symbols().find(|symbol| symbol.name() == Ok(name)).unwrap();
        (found.address(), found.size(), found.index())
    };
    let text = file.section_by_name(".text").unwrap();
    let calls = |target| {
        let to =
            move |it: &(u64, object::Relocation)| it.1.target() == RelocationTarget::Symbol(target);
        text.relocations().filter(to).map(|(offset, _)| offset + 4)
    };
    let (put, put_size, put_index) = symbol("process_bprm_put");
    let (hook, hook_size, _) = symbol("__akfs_trace_security_bprm_check");
    let thunk = symbol("__x86_indirect_thunk_rax").2;
    let fourth = calls(thunk).nth(3).expect("five calls through pointers");
    let called = calls(put_index).next().expect("the call of process_bprm_put");
    [fourth - put, put_size, called - hook, hook_size].map(|it| i64::try_from(it).unwrap())
}

/// The kernel's functions: frame pointer and its rules, and a call that returns to where it did.
fn functions() -> String {
    let mut text = ".cfi_sections .debug_frame\n".to_owned();
    for (name, start, returns, size) in FUNCTIONS {
        let stub = STUBS.contains(&name);
        let head = match name {
            "stub_execve" => saved_registers(),
            "async_page_fault" => format!(".cfi_signal_frame\n{}", saved_registers()),
            _ => "push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset rbp, -16\nmov %rsp, %rbp\n\
                  .cfi_def_cfa_register rbp\n"
                .to_owned(),
        };
        let call = if name == "security_bprm_check" { "" } else { "call _stext\n" };
        // Bytes of the head, and of the call that returns there.
        let front = (returns - start).saturating_sub(if stub { 5 } else { 9 });
        writeln!(
            text,
            ".section .text.{name}, \"ax\"\n.globl {name}\n.type {name}, @function\n{name}:\n\
             .cfi_startproc\n{head}.skip {front}, 0x90\n{call}.org {size} - 1, 0x90\nret\n\
             .cfi_endproc\n.size {name}, . - {name}"
        )
        .unwrap();
    }
    text.push_str(".globl sys_execve\n.set sys_execve, SyS_execve\n");
    text.push_str(".section .text._stext, \"ax\"\n.globl _stext\n_stext: ret\n");
    text.push_str(".globl __x86_indirect_thunk_rax\n.type __x86_indirect_thunk_rax, @function\n");
    text.push_str("__x86_indirect_thunk_rax: jmp *%rax\n.size __x86_indirect_thunk_rax, 2\n");
    text.push_str(".section .text._etext, \"ax\"\n.globl _etext\n_etext: ret\n");
    text
}

/// The rules of entry code that has a `struct pt_regs` at its stack pointer.
fn saved_registers() -> String {
    let order = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig rip cs flags rsp";
    let mut text = ".cfi_def_cfa rsp, 168\n".to_owned();
    for (index, name) in order.split(' ').enumerate() {
        if !["orig", "cs", "flags"].contains(&name) {
            writeln!(text, ".cfi_offset {name}, {} - 168", index * 8).unwrap();
        }
    }
    text
}

/// akfs.ko: its functions, and the table of them.
fn akfs() -> String {
    let mut text = ".text\n".to_owned();
    let mut functions = OPERATIONS.to_vec();
    functions.retain(|(_, address)| *address != 0);
    functions.sort_by_key(|(_, address)| *address);
    for (name, address) in functions {
        let at = address - AKFS[0].1;
        writeln!(
            text,
            ".org {at}, 0x90\n.type akfs_{name}, @function\nakfs_{name}: ret\n\
             .size akfs_{name}, 1"
        )
        .unwrap();
    }
    text.push_str(".section .modinfo, \"a\"\n.asciz \"srcversion=0123456789ABCDEF01234567\"\n");
    text.push_str(".data\n.type akfs_operations, @object\n.size akfs_operations, 152\n");
    text.push_str("akfs_operations:\n");
    for (name, address) in OPERATIONS {
        let value = if address == 0 { "0".to_owned() } else { format!("akfs_{name}") };
        writeln!(text, ".quad {value}").unwrap();
    }
    text
}

/// The linker's script, for addresses so far below those where all of it ran.
fn script_of(back: u64, modules: bool) -> String {
    let mut text = "SECTIONS {\n.data..percpu 0 : { *(.data..percpu) }\n".to_owned();
    let edges = [("_stext", 0xffff_ffff_9880_0000), ("_etext", 0xffff_ffff_9900_0000)];
    let functions = FUNCTIONS.iter().map(|(name, start, ..)| (*name, *start));
    for (name, start) in functions.chain(edges) {
        writeln!(text, ".text.{name} {:#x} : {{ *(.text.{name}) }}", start - back).unwrap();
    }
    let (constants, variables) = ("kernel.o(.rodata*)", "kernel.o(.data .bss COMMON)");
    writeln!(text, ".rodata {:#x} : {{ {constants} }}", DATA - back).unwrap();
    writeln!(text, ".data {:#x} : {{ {variables} }}", DATA + 0x1_0000 - back).unwrap();
    if modules {
        for (file, sections) in [("process.o", PROCESS), ("akfs.o", AKFS)] {
            for (section, address) in sections {
                writeln!(text, ".{file}{section} {address:#x} : {{ {file}({section}) }}").unwrap();
            }
        }
    }
    text.push_str("/DISCARD/ : { *(.note*) *(.comment) *(.modinfo) }\n}\n");
    text
}

fn run(command: &mut Command) {
    let output = command.output().expect("gcc and binutils are there");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine as it was when it crashed, and the dump of it that makedumpfile would have written.
//!
//! Offsets of members are those of CentOS 7's kernel, written down here once more: the program reads
//! them from the debug information.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use synth::{Kdump, Memory, Packing, notes};
use tempfile::TempDir;

use crate::compiled::{AKFS, Compiled, Image, MOVED, PROCESS};

/// Where the image of the kernel is mapped, and what is added to that for its physical address.
const IMAGE: u64 = 0xffff_ffff_8000_0000;
const PHYS_BASE: i64 = -0x1280_0000;
/// Where the memory is mapped, all 512 MiB of it.
const DIRECT: u64 = 0xffff_97c7_c000_0000;
/// The 2 MiB with both modules, and the memory that they are in.
const MODULES: u64 = 0xffff_ffff_c040_0000;
const MODULES_AT: u64 = 0x0b00_0000;
/// Memory of the page tables.
const TABLES: u64 = 0x0100_0000;

/// The task that crashed, its stack, and the stack pointer at the fault.
const BASH: u64 = 0xffff_97c7_df2e_a100;
const STACK: u64 = 0xffff_97c7_df29_8000;
const RSP: u64 = STACK + 0x2e28;
const RBP: u64 = STACK + 0x3e50;
/// Where the others are: tasks, what belongs to each, stacks.
const OTHERS: u64 = 0xffff_97c7_c800_0000;
const STACKS: u64 = 0xffff_97c7_c900_0000;
/// `struct module` of process and of akfs.
const PROCESS_MODULE: u64 = 0xffff_ffff_c04e_a360;
const AKFS_MODULE: u64 = 0xffff_ffff_c048_2000;
/// Tables of the modules' sections.
const SECTIONS: u64 = 0xffff_97c7_ca00_0000;

/// Address on the stack and what it holds: return addresses, the innermost first.
const CALLS: [(u64, u64); 16] = [
    (0x2a68, 0xffff_ffff_9886_62c4),
    (0x2ac8, 0xffff_ffff_9892_2a32),
    (0x2b98, 0xffff_ffff_9892_2b20),
    (0x2bb0, 0xffff_ffff_98f8_d798),
    (0x2bd8, 0xffff_ffff_9887_5d14),
    (0x2c28, 0xffff_ffff_9887_5fe2),
    (0x2c78, 0xffff_ffff_98f7_ca01),
    (0x2ca0, 0xffff_ffff_98f9_08b7),
    (0x2d10, 0xffff_ffff_98f9_0a26),
    (0x2d50, 0xffff_ffff_98f8_ffa2),
    (0x2d70, 0xffff_ffff_98f8_c7a8),
    (0x3e58, 0xffff_ffff_c04e_8756),
    (0x3e78, 0xffff_ffff_98a5_587a),
    (0x3ea8, 0xffff_ffff_98a5_6dd6),
    (0x3f30, 0xffff_ffff_98a5_72e9),
    (0x3f50, 0xffff_ffff_98f9_6538),
];
/// How many of them are the way to the capture kernel, up to the entry code of the fault.
const PANIC_PATH: usize = 11;

/// The registers at the fault in the order of `struct pt_regs`, as the log has them.
const FAULT: [u64; 21] = [
    BASH,
    0x8b3,
    BASH,
    0xffff_97c7_d29b_5c00,
    RBP,
    RSP + 8,
    7,
    0xffff_97c7_df01_21b0,
    0xffff,
    0xffff,
    0,
    0,
    0x40,
    0xffff_97c7_df29_aea0,
    0xffff_97c7_d29b_5e00,
    u64::MAX,
    0,
    0x10,
    0x1_0292,
    RSP,
    0x18,
];
/// Those of user mode, as `bt` has them.
const USER: [u64; 21] = [
    0,
    0x01a3_45a0,
    0x01a5_f720,
    1,
    0x01a3_4520,
    0x01a6_f390,
    0x206,
    0x7ffe_56d1_d150,
    0x10,
    0,
    0x3b,
    u64::MAX,
    0x01a3_45a0,
    0x01a5_f720,
    0x01a6_f390,
    0x3b,
    0x7f43_b2dc_6dd7,
    0x33,
    0x206,
    0x7ffe_56d1_d588,
    0x2b,
];

/// The files of the crash.
pub(crate) struct Crashed {
    folder: TempDir,
}

impl Crashed {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let compiled = Compiled::new(folder.path());
        compiled.vmlinux();
        let machine = Machine::of(compiled.image());
        fs::write(folder.path().join("vmcore"), machine.dump()).unwrap();
        let modules = folder.path().join("modules");
        fs::create_dir(&modules).unwrap();
        for name in ["process.ko", "akfs.ko"] {
            fs::rename(folder.path().join(name), modules.join(name)).unwrap();
        }
        Self { folder }
    }

    /// What the program says of the dump; `input` are lines at stdin.
    pub(crate) fn says(&self, verb: &str, input: &str) -> String {
        self.run(&[verb, "vmcore"], input)
    }

    /// The report as data: of the dump, or for `-`, of the text at stdin.
    pub(crate) fn report(&self, file: &str, text: &str) -> analyzer::report::Report {
        let json = self.run(&["analyze", file, "--format", "json"], text);
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
    }

    fn run(&self, arguments: &[&str], input: &str) -> String {
        use std::io::Write as _;
        let mut command = Command::new(tests::project::repro().unwrap());
        command.args(arguments).args(["--vmlinux", "vmlinux"]);
        command.args(["--module-dir", "modules"]).current_dir(self.folder.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }
}

/// Memory and symbols.
struct Machine {
    memory: Memory,
    image: Image,
}

fn physical(address: u64) -> u64 {
    match address {
        MODULES.. => address - MODULES + MODULES_AT,
        IMAGE.. => (address - IMAGE).wrapping_add_signed(PHYS_BASE),
        _ => address - DIRECT,
    }
}

impl Machine {
    fn of(image: Image) -> Self {
        let mut machine = Self { memory: Memory::new(), image };
        for (address, bytes) in machine.image.sections.clone() {
            // The first one is the model of what each CPU has.
            if address != 0 {
                machine.put(address, &bytes);
            }
        }
        machine.tables();
        machine.variables();
        machine.cpus();
        machine.tasks();
        machine.stack();
        machine.modules();
        machine.log();
        machine
    }

    fn at(&self, symbol: &str) -> u64 {
        self.image.symbols[symbol]
    }

    fn put(&mut self, address: u64, bytes: &[u8]) {
        self.memory.write(physical(address), bytes);
    }

    fn word(&mut self, address: u64, value: u64) {
        self.put(address, &value.to_le_bytes());
    }

    fn half(&mut self, address: u64, value: u32) {
        self.put(address, &value.to_le_bytes());
    }

    /// Links `list_head`s into a ring, in both directions.
    fn ring(&mut self, links: &[u64]) {
        for (index, link) in links.iter().enumerate() {
            let next = links[(index + 1) % links.len()];
            self.word(*link, next);
            self.word(next + 8, *link);
        }
    }

    /// Page tables: the memory in one piece, the kernel in large pages, the modules in small ones.
    fn tables(&mut self) {
        const LARGE: u64 = 0x83;
        const TABLE: u64 = 0x3;
        let root = physical(self.at("init_level4_pgt"));
        let index = |address: u64, shift: u32| (address >> shift & 511) * 8;
        let [direct, high, text, middle, small] = [0, 1, 2, 3, 4].map(|page| TABLES + page * 4096);
        self.memory.write_u64(root + index(DIRECT, 39), direct | TABLE);
        self.memory.write_u64(direct + index(DIRECT, 30), LARGE);
        self.memory.write_u64(root + index(IMAGE, 39), high | TABLE);
        self.memory.write_u64(high + index(IMAGE, 30), text | TABLE);
        self.memory.write_u64(high + index(MODULES, 30), middle | TABLE);
        for at in (0xffff_ffff_9880_0000..0xffff_ffff_9a00_0000_u64).step_by(2 << 20) {
            self.memory.write_u64(text + index(at, 21), physical(at) | LARGE);
        }
        self.memory.write_u64(middle + index(MODULES, 21), small | TABLE);
        for at in (MODULES + 0x7_e000..MODULES + 0xe_c000).step_by(4096) {
            self.memory.write_u64(small + index(at, 12), physical(at) | TABLE);
        }
    }

    fn variables(&mut self) {
        let words = [
            ("jiffies_64", 0xffff_ffff - 300_000 + 1 + 5_233_000),
            ("avenrun", 492),
            ("page_offset_base", DIRECT),
            ("vmalloc_base", 0xffff_b3c0_0000_0000),
            ("vmemmap_base", 0xffff_e2c0_0000_0000),
            ("tainted_mask", 0x3000),
            ("cpu_online_bits", 0xf),
            ("cpu_possible_bits", 0xf),
            ("phys_base", PHYS_BASE.cast_unsigned()),
        ];
        for (name, value) in words {
            self.word(self.at(name), value);
        }
        self.word(self.at("avenrun") + 8, 164);
        self.word(self.at("avenrun") + 16, 123);
        self.half(self.at("cpu_khz"), 1_496_000);
        self.half(self.at("crashing_cpu"), 1);
        // Members of the fixture's own structures: `mult`, `shift`, `xtime_sec`.
        let jiffies = self.at("clocksource_jiffies");
        self.half(jiffies + 24, 1_000_000 << 8);
        self.half(jiffies + 28, 8);
        self.word(self.at("timekeeper") + 24, 1_638_798_416);
        let node = self.at("node");
        self.word(self.at("node_data"), node);
        self.word(node + 156_752, 130_970);
        let names = self.at("init_uts_ns") + 4;
        let fields = [
            "Linux",
            "localhost.localdomain",
            "3.10.0-1160.49.1.el7.x86_64",
            "#1 SMP Tue Nov 30 15:51:32 UTC 2021",
            "x86_64",
            "(none)",
        ];
        for (index, field) in (0_u64..).zip(fields) {
            self.put(names + 65 * index, field.as_bytes());
        }
    }

    /// Each CPU's copy of the per-CPU variables, and its idle task.
    fn cpus(&mut self) {
        let (_, model) =
            self.image.sections.iter().find(|(address, _)| *address == 0).cloned().unwrap();
        for cpu in 0..4_u32 {
            let base = 0xffff_97c7_dfc0_0000 + u64::from(cpu) * 0x8_0000;
            self.put(base, &model);
            self.word(self.at("__per_cpu_offset") + 8 * u64::from(cpu), base);
            let idle = match cpu {
                0 => self.at("init_task"),
                _ => OTHERS + 0x100_0000 / 2 + u64::from(cpu) * 0x2000,
            };
            let running = if cpu == 1 { BASH } else { idle };
            self.word(base + self.at("current_task"), running);
            self.word(base + self.at("runqueues") + 2208, running);
            self.word(base + self.at("runqueues") + 2216, idle);
            let top = base + self.at("irq_stack_union") + 0x4000;
            self.word(base + self.at("irq_stack_ptr"), top);
            self.task(idle, STACKS + 0x80_0000 + u64::from(cpu) * 0x4000, 0, cpu);
            self.put(idle + 1648, format!("swapper/{cpu}").as_bytes());
        }
    }

    /// A task alone in its process, in no list of tasks.
    fn task(&mut self, task: u64, stack: u64, pid: u32, cpu: u32) {
        let signal = task + 0x1200;
        self.word(task + 8, stack);
        self.word(task, u64::from(pid != 0 && pid != 2227));
        self.half(task + 1180, pid);
        self.half(task + 1184, pid);
        self.word(task + 1200, self.at("init_task"));
        self.ring(&[task + 1360]);
        self.word(task + 1888, signal);
        self.ring(&[signal + 16, task + 1376]);
        self.word(task + 1680 + 24, stack + 0x4000);
        self.word(task + 1680 + 32, stack + 0x3f00);
        self.word(stack, task);
        self.half(stack + 24, cpu);
        // `STACK_END_MAGIC` behind `struct thread_info`.
        self.word(stack + 104, 0x57ac_6e9d);
    }

    /// 132 processes besides the idle tasks of three CPUs.
    fn tasks(&mut self) {
        let mut links = vec![self.at("init_task") + 1064];
        for pid in 1..=131_u32 {
            let task = OTHERS + u64::from(pid) * 0x2000;
            self.task(task, STACKS + u64::from(pid) * 0x4000, pid, pid % 4);
            self.put(task + 1648, if pid == 1 { b"systemd" } else { b"kworker" });
            links.push(task + 1064);
        }
        self.task(BASH, STACK, 2227, 1);
        self.put(BASH + 1648, b"bash");
        // `struct mm_struct` with its page tables.
        let (mm, root) = (OTHERS + 0x1000, self.at("init_level4_pgt"));
        self.word(BASH + 1120, mm);
        self.word(mm + 88, root);
        links.push(BASH + 1064);
        self.ring(&links);
    }

    /// The stack of the crash: frames, the registers of the fault and of user mode.
    fn stack(&mut self) {
        let frames = |calls: &[(u64, u64)], outer: u64| -> Vec<(u64, u64)> {
            let links = calls.iter().skip(1).map(|(slot, _)| STACK + slot - 8).chain([outer]);
            calls.iter().map(|(slot, _)| STACK + slot - 8).zip(links).collect()
        };
        let (panic, fault) = CALLS.split_at(PANIC_PATH);
        // What `machine_kexec` called last left no frame.
        for (slot, link) in frames(&panic[1..], RBP).into_iter().chain(frames(fault, 0)) {
            self.word(slot, link);
        }
        for (slot, address) in CALLS {
            self.word(STACK + slot, address);
        }
        self.word(RSP, 0xffff_ffff_c04e_83d8);
        // What an earlier call left in the frame.
        self.word(RBP - 0x20, 0xffff_ffff_98b0_8a85);
        for (at, registers) in [(STACK + 0x2d78, FAULT), (STACK + 0x4000 - 168, USER)] {
            for (index, value) in (0_u64..).zip(registers) {
                self.word(at + 8 * index, value);
            }
        }
    }

    fn modules(&mut self) {
        let modules = [
            (PROCESS_MODULE, "process", 0xffff_ffff_c04e_8000, 13_459, PROCESS),
            (AKFS_MODULE, "akfs", 0xffff_ffff_c047_e000, 0x5000, AKFS),
        ];
        let head = self.at("modules");
        self.ring(&[head, PROCESS_MODULE + 8, AKFS_MODULE + 8]);
        for (number, (module, name, core, size, sections)) in (0_u64..).zip(modules) {
            self.put(module + 24, name.as_bytes());
            self.word(module + 312, core);
            for (at, value) in [(324, size), (332, 0x2000), (340, 0x2000), (344, 0x3000)] {
                self.half(module + at, value);
            }
            let table = SECTIONS + number * 4096;
            self.put(table + 3072, b"0123456789ABCDEF01234567");
            self.word(module + 184, table + 3072);
            self.word(module + 416, table);
            self.half(table + 32, 2);
            for (index, (section, address)) in (0_u64..).zip(sections) {
                let name = table + 2048 + index * 64;
                self.put(name, section.as_bytes());
                self.word(table + 40 + 72 * index + 56, name);
                self.word(table + 40 + 72 * index + 64, address);
            }
        }
        // What its constructor stored.
        self.word(self.at("__akfs_ops"), self.at("akfs_operations"));
    }

    /// Records of `struct log`: time, lengths of the record and of its text, level.
    fn log(&mut self) {
        let buffer = self.at("__log_buf");
        let mut at = 0_u64;
        for line in dmesg().lines() {
            let (time, text) = line.trim_start_matches(['[', ' ']).split_once("] ").unwrap();
            let (seconds, micros) = time.split_once('.').unwrap();
            let nanos = seconds.parse::<u64>().unwrap() * 1_000_000_000
                + micros.parse::<u64>().unwrap() * 1000;
            let length = (16 + text.len()).next_multiple_of(4);
            let short = |number: usize| u16::try_from(number).unwrap().to_le_bytes();
            self.word(buffer + at, nanos);
            self.put(buffer + at + 8, &short(length));
            self.put(buffer + at + 10, &short(text.len()));
            self.put(buffer + at + 15, &[4 << 5]);
            self.put(buffer + at + 16, text.as_bytes());
            at += u64::try_from(length).unwrap();
        }
        self.word(self.at("log_buf"), buffer);
        self.half(self.at("log_buf_len"), 1 << 16);
        self.half(self.at("log_next_idx"), u32::try_from(at).unwrap());
    }

    /// VMCOREINFO as that kernel writes it, as far as it is of use.
    fn info(&self) -> String {
        let mut info =
            "OSRELEASE=3.10.0-1160.49.1.el7.x86_64\nPAGESIZE=4096\nSIZE(log)=16\n".to_owned();
        for name in [
            "init_uts_ns",
            "swapper_pg_dir",
            "_stext",
            "mem_section",
            "log_buf",
            "log_buf_len",
            "log_first_idx",
            "log_next_idx",
            "init_level4_pgt",
            "node_data",
        ] {
            let symbol = if name == "swapper_pg_dir" { "init_level4_pgt" } else { name };
            writeln!(info, "SYMBOL({name})={:x}", self.at(symbol)).unwrap();
        }
        for (name, offset) in [("ts_nsec", 0), ("len", 8), ("text_len", 10), ("dict_len", 12)] {
            writeln!(info, "OFFSET(log.{name})={offset}").unwrap();
        }
        writeln!(info, "LENGTH(mem_section)=4096\nLENGTH(node_data)=1024").unwrap();
        writeln!(info, "NUMBER(phys_base)={PHYS_BASE}\nKERNELOFFSET={MOVED:x}").unwrap();
        info + "NUMBER(KERNEL_IMAGE_SIZE)=1073741824\nNUMBER(sme_mask)=0\nCRASHTIME=1638798416\n"
    }

    fn dump(&self) -> Vec<u8> {
        let mut kdump = Kdump::new(Packing::Lzo);
        kdump.release = "3.10.0-1160.49.1.el7.x86_64";
        kdump.nr_cpus = 4;
        kdump.phys_base = PHYS_BASE;
        for cpu in 0..4 {
            let mut registers = [0; 27];
            if cpu == 1 {
                registers[..21].copy_from_slice(&FAULT);
            }
            kdump.notes.extend(notes::prstatus(if cpu == 1 { 2227 } else { 0 }, &registers));
        }
        let info = self.info();
        kdump.notes.extend(notes::vmcoreinfo(&info));
        kdump.vmcoreinfo = info;
        kdump.write(&self.memory)
    }
}

/// The log that the example's author looked at.
pub(crate) fn dmesg() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("seed/vmcore-dmesg.txt");
    fs::read_to_string(file).unwrap()
}

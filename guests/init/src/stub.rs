// SPDX-License-Identifier: MIT OR Apache-2.0
//! A crash stub in place of a capture kernel: some instructions that tell the host.
//!
//! A crashing kernel enters whatever was loaded for a crash, after it has done all of its own work:
//! the other CPUs are stopped, registers are in the notes, VMCOREINFO is written. The stub then
//! makes the host look at the memory, which it holds in a file. What the host must know of that
//! memory only the running kernel tells: [`Memory`].

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use protocol::Memory;
use rustix::io::Errno;

use crate::syscall::{self, Segment};

/// Bytes of the stub: one page.
const PAGE: usize = 4096;
/// Where the stub counts its runs, behind [`MAGIC`].
#[cfg(test)]
const COUNTER: usize = 0x80;
/// By these bytes the host finds its stub again.
const MAGIC: &[u8; 16] = b"repro crash stub";
const MAGIC_AT: usize = 0x88;

/// The stub, entered in 64-bit mode with all memory mapped at its physical address
/// (arch/x86/kernel/relocate_kernel_64.S): counts its run and writes 1, "panicked", to QEMU's
/// pvpanic port at 0x505.
const CODE: [u8; 17] = [
    0xfa, // cli
    0xff, 0x05, 0x79, 0, 0, 0, // incl 0x79(%rip): the counter
    0x66, 0xba, 0x05, 0x05, // mov $0x505,%dx
    0xb0, 0x01, // mov $1,%al
    0xee, // out %al,(%dx)
    0xf4, // 1: hlt
    0xeb, 0xfd, // jmp 1b
];

const IOMEM: &str = "/proc/iomem";
const VMCOREINFO: &str = "/sys/kernel/vmcoreinfo";
const SYMBOLS: &str = "/proc/kallsyms";
/// Before the kernel's text are the symbols of the per-CPU area, some thousand.
const MOST_SYMBOLS: usize = 20_000;
const CPUS: &str = "/sys/devices/system/cpu";
/// Bytes of a CPU's notes at most (`KEXEC_NOTE_BYTES`).
const MOST_NOTES: u64 = 1024;
/// Most CPUs that are asked for their notes; Linux has no more on x86-64 (`CONFIG_NR_CPUS`).
const MOST_CPUS: u32 = 8192;

/// Start and end, or address and size.
type Stretch = (u64, u64);

/// Loads the stub and tells where everything is.
///
/// # Errors
/// In words: nothing reserved, no kexec in this kernel, or it refuses.
pub(crate) fn load() -> Result<Memory, String> {
    let memory = of_this_kernel()?;
    let mut page = vec![0; PAGE];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &CODE);
    put(MAGIC_AT, MAGIC);
    let segment = Segment::new(&page, memory.stub);
    syscall::kexec_load_on_crash(memory.stub, &[segment]).map_err(|error| refused(&error))?;
    Ok(memory)
}

fn of_this_kernel() -> Result<Memory, String> {
    let map = read(Path::new(IOMEM))?;
    let (ram, crash) = iomem(&map);
    let crash = crash.ok_or(
        "no memory is reserved for a capture kernel: no crashkernel= on the command line, or \
         no room for it",
    )?;
    let vmcoreinfo = pair(&read(Path::new(VMCOREINFO))?)
        .ok_or_else(|| format!("{VMCOREINFO} is no address and size"))?;
    let notes = notes(Path::new(CPUS))?;
    let text = text_address().zip(kernel_code(&map));
    Ok(Memory { ram, crash, notes, vmcoreinfo, text, stub: crash.0 })
}

/// System RAM and the stretch that is kept for a capture kernel. With `crashkernel=…,high` there
/// are two; kexec takes the one above 4 GiB, which comes last.
fn iomem(text: &str) -> (Vec<Stretch>, Option<Stretch>) {
    let mut ram = Vec::new();
    let mut crash: Option<Stretch> = None;
    for line in text.lines() {
        let Some((range, name)) = line.split_once(" : ") else { continue };
        let Some((start, last)) = range.trim().split_once('-') else { continue };
        let hex = |digits| u64::from_str_radix(digits, 16).ok();
        let (Some(start), Some(last)) = (hex(start), hex(last)) else { continue };
        let stretch = (start, last.saturating_add(1));
        match name {
            // Crash kernel is inside of it.
            "System RAM" if !line.starts_with(' ') => ram.push(stretch),
            "Crash kernel" => crash = Some(stretch),
            _ => {}
        }
    }
    (ram, crash)
}

/// Physical address of the kernel's text.
fn kernel_code(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.ends_with(" : Kernel code"))?;
    u64::from_str_radix(line.trim_start().split_once('-')?.0, 16).ok()
}

/// Virtual address of the kernel's text. The list of symbols is long and made as it is read, and
/// this one is among its first.
fn text_address() -> Option<u64> {
    let symbols = BufReader::new(File::open(SYMBOLS).ok()?);
    let mut lines = symbols.lines().take(MOST_SYMBOLS).map_while(Result::ok);
    let line = lines.find(|line| line.ends_with(" _text"))?;
    u64::from_str_radix(line.split_once(' ')?.0, 16).ok().filter(|address| *address != 0)
}

/// Address and size of the notes of each CPU, in the order of their numbers.
fn notes(cpus: &Path) -> Result<Vec<Stretch>, String> {
    let mut notes = Vec::new();
    for cpu in 0..MOST_CPUS {
        let folder = cpus.join(format!("cpu{cpu}"));
        let Ok(address) = fs::read_to_string(folder.join("crash_notes")) else { break };
        let size = fs::read_to_string(folder.join("crash_notes_size")).unwrap_or_default();
        // Kernels before 3.8 do not tell it; the notes end by themselves.
        let size = size.trim().parse().unwrap_or(MOST_NOTES);
        let address = u64::from_str_radix(address.trim().trim_start_matches("0x"), 16).ok();
        let note = address.map(|address| (address, size));
        notes.push(note.ok_or_else(|| format!("the notes of CPU {cpu} have no address"))?);
    }
    if notes.is_empty() {
        return Err(format!("{} has no crash_notes", cpus.display()));
    }
    Ok(notes)
}

/// `address size`, both hexadecimal.
fn pair(text: &str) -> Option<Stretch> {
    let (address, size) = text.trim().split_once(' ')?;
    let hex = |digits: &str| u64::from_str_radix(digits.trim_start_matches("0x"), 16).ok();
    hex(address).zip(hex(size))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn refused(error: &io::Error) -> String {
    let hint = match Errno::from_io_error(error) {
        Some(Errno::NOSYS) => ": this kernel has no kexec_load",
        Some(Errno::PERM) => ": locked down, or kexec_load_disabled is set",
        Some(Errno::ADDRNOTAVAIL | Errno::NOMEM) => ": too little memory is reserved",
        Some(Errno::BUSY) => ": another kexec is under way",
        _ => "",
    };
    format!("kexec_load of the crash stub: {error}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_and_the_magic_are_where_the_host_looks() {
        // The displacement counts from the end of the instruction, 7 bytes into the page.
        assert_eq!(7 + usize::from(CODE[3]), COUNTER);
        assert_eq!(COUNTER + 8, MAGIC_AT);
        assert!(CODE.len() <= COUNTER);
    }

    #[test]
    fn ram_is_what_is_not_inside_of_something_else() {
        let text = "00000000-00000fff : Reserved\n\
                    00001000-0009fbff : System RAM\n\
                    00100000-3ffdefff : System RAM\n  \
                      1c000000-1ce00e22 : Kernel code\n  \
                      37000000-3effffff : Crash kernel\n\
                    3ffdf000-3fffffff : Reserved\n\
                    100000000-13fffffff : System RAM\n";
        let (ram, crash) = iomem(text);
        let expected =
            [(0x1000, 0x9_fc00), (0x10_0000, 0x3ffd_f000), (0x1_0000_0000, 0x1_4000_0000)];
        assert_eq!(ram, expected);
        assert_eq!(crash, Some((0x3700_0000, 0x3f00_0000)));
        assert_eq!(kernel_code(text), Some(0x1c00_0000));
        // What a kernel shows to those who may not see addresses.
        let hidden = "00000000-00000000 : System RAM\n";
        assert_eq!(iomem(hidden).1, None);
    }

    #[test]
    fn notes_end_with_the_last_cpu() {
        let folder = tempfile::tempdir().unwrap();
        assert!(notes(folder.path()).unwrap_err().contains("no crash_notes"));
        for (cpu, address) in [("cpu0", "3e418200\n"), ("cpu1", "3e518200\n")] {
            let cpu = folder.path().join(cpu);
            fs::create_dir(&cpu).unwrap();
            fs::write(cpu.join("crash_notes"), address).unwrap();
            fs::write(cpu.join("crash_notes_size"), "368\n").unwrap();
        }
        fs::create_dir(folder.path().join("cpufreq")).unwrap();
        assert_eq!(notes(folder.path()).unwrap(), [(0x3e41_8200, 368), (0x3e51_8200, 368)]);
    }

    #[test]
    fn vmcoreinfo_is_an_address_and_a_size() {
        assert_eq!(pair("1a2b000 1000\n"), Some((0x1a2_b000, 0x1000)));
        assert_eq!(pair("0x5e0f000 1024\n"), Some((0x5e0_f000, 0x1024)));
        assert_eq!(pair("\n"), None);
    }
}

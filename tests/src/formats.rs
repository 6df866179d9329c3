// SPDX-License-Identifier: MIT OR Apache-2.0
//! One dump, written anew in every format that there is: by the host's makedumpfile, and what that
//! cannot write by our own writer, which shares nothing with the readers.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use analyzer::report::Report;
use anyhow::{Context as _, Result, ensure};
use synth::{Elf, Kdump, Memory, Packing, Page, flatten, notes, ram};
use vmcore::{Absent, PhysAddr, PtRegs, Vmcore};

use crate::dump::Dump;
use crate::peers::setup;
use crate::project;
use crate::trial::Unavailable;

/// The dump level of the formats: zero pages are left out, as in the dump itself.
const LEVEL: &str = "1";
/// Bytes in a page.
const PAGE: u64 = 4096;

/// Checks that a dump gives the same report in every format, apart from the line about the dump.
///
/// # Errors
/// It does not; [`Unavailable`] if there is no makedumpfile.
pub fn check(dump: &Dump) -> Result<()> {
    let folder = tempfile::tempdir_in(project::target())?;
    // The lines of sources that a run keeps beside its vmcore.
    let lines = dump.vmcore.with_file_name("lines.json");
    fs::copy(lines, folder.path().join("lines.json")).context("copy the lines")?;
    let expected = report(dump, std::slice::from_ref(&dump.vmcore))?;
    let same = |name: &str, files: Vec<PathBuf>| -> Result<()> {
        let found = report(dump, &files).with_context(|| name.to_owned())?;
        ensure!(found == expected, "{name}: another report:\n{found}\ninstead of\n{expected}");
        files.iter().try_for_each(fs::remove_file).context("remove a dump")
    };
    by_makedumpfile(&dump.vmcore, folder.path(), &same)?;
    by_tools_that_pack(&dump.vmcore, folder.path(), &same)?;
    by_its_folder(dump, &expected)?;
    by_our_writer(&dump.vmcore, folder.path(), &same)
}

/// The report without what it says of the dump file.
///
/// # Errors
/// There is none.
pub fn report(dump: &Dump, files: &[PathBuf]) -> Result<String> {
    let kernel = ["--vmlinux".into(), dump.vmlinux.clone().into()];
    told(dump, files.iter().map(OsString::from).chain(kernel))
}

fn told(dump: &Dump, named: impl Iterator<Item = OsString>) -> Result<String> {
    let mut words: Vec<OsString> = vec!["analyze".into()];
    words.extend(named);
    words.extend(["--format".into(), "json".into()]);
    words.extend(["--module-dir".into(), dump.modules.clone().into()]);
    let mut report: Report =
        serde_json::from_str(&project::repro_with(words)?.read().context("run repro")?)?;
    report.dump = analyzer::report::Dump { complete: report.dump.complete, ..Default::default() };
    Ok(analyzer::render::json(&report))
}

type Same<'s> = &'s dyn Fn(&str, Vec<PathBuf>) -> Result<()>;

fn by_makedumpfile(vmcore: &Path, folder: &Path, same: Same<'_>) -> Result<()> {
    let output = folder.join("vmcore");
    for option in ["-c", "-l", ""] {
        makedumpfile(&[option, "-d", LEVEL], vmcore, &[&output])?;
        same(&format!("makedumpfile {option}"), vec![output.clone()])?;
    }
    flattened(vmcore, &output)?;
    same("makedumpfile -F", vec![output.clone()])?;
    let parts: Vec<PathBuf> = (1..4).map(|part| folder.join(format!("part{part}"))).collect();
    let names: Vec<&Path> = parts.iter().rev().map(PathBuf::as_path).collect();
    makedumpfile(&["--split", "-l", "-d", LEVEL], vmcore, &names)?;
    same("makedumpfile --split", parts)?;
    // It writes ELF files from ELF files only.
    let elf = folder.join("vmcore.elf");
    fs::write(&elf, own(vmcore)?.elf())?;
    makedumpfile(&["-E", "-d", "0"], &elf, &[&output])?;
    fs::remove_file(&elf)?;
    same("makedumpfile -E", vec![output])
}

/// The file as it is, compressed as a whole.
fn by_tools_that_pack(vmcore: &Path, folder: &Path, same: Same<'_>) -> Result<()> {
    let tools = [
        ("gzip", "gzip"),
        ("xz", "xz-utils"),
        ("zstd", "zstd"),
        ("bzip2", "bzip2"),
        ("lz4", "lz4"),
    ];
    for (tool, package) in tools {
        let output = folder.join("vmcore.packed");
        let program = setup::program(tool, package)?;
        duct::cmd!(program, "-1", "-c", vmcore).stdout_path(&output).stderr_null().run()?;
        same(tool, vec![output])?;
    }
    Ok(())
}

/// The folder of a crash, and the kernel before and after it, as people type it for crash(8).
fn by_its_folder(dump: &Dump, expected: &str) -> Result<()> {
    let folder = tempfile::tempdir_in(project::target())?;
    for name in ["vmcore", "vmcore-dmesg.txt", "lines.json"] {
        fs::copy(dump.vmcore.with_file_name(name), folder.path().join(name)).context(name)?;
    }
    let (crash, kernel) = (OsString::from(folder.path()), OsString::from(&dump.vmlinux));
    for named in [[crash.clone(), kernel.clone()], [kernel, crash]] {
        let found = told(dump, named.clone().into_iter())?;
        ensure!(found == expected, "{named:?}: another report:\n{found}");
    }
    Ok(())
}

/// Checks that a dump of all memory gives the same report with the pages left out that each level of makedumpfile
/// leaves out, apart from the line about the dump.
///
/// # Errors
/// It does not; [`Unavailable`] if there is no makedumpfile.
pub fn check_levels(dump: &Dump) -> Result<()> {
    let folder = tempfile::tempdir_in(project::target())?;
    let lines = dump.vmcore.with_file_name("lines.json");
    fs::copy(lines, folder.path().join("lines.json")).context("copy the lines")?;
    let expected = report(dump, std::slice::from_ref(&dump.vmcore))?;
    let elf = folder.path().join("vmcore.elf");
    fs::copy(&dump.vmcore, &elf)?;
    with_headers_in_front(&elf)?;
    let output = folder.path().join("vmcore");
    for options in [["-l", "-d", "0"], ["-l", "-d", "1"], ["-l", "-d", "31"], ["-E", "-d", "31"]] {
        makedumpfile(&options, &elf, &[&output])?;
        let found = report(dump, std::slice::from_ref(&output))?;
        ensure!(found == expected, "{options:?}: another report:\n{found}\ninstead of\n{expected}");
        fs::remove_file(&output)?;
    }
    Ok(())
}

/// Moves the program headers of an ELF file behind its first header, where makedumpfile 1.7.2 looks for them. QEMU 10
/// has its section headers there, which nobody needs.
fn with_headers_in_front(elf: &Path) -> Result<()> {
    const HEADER: usize = 64;
    let file = File::options().read(true).write(true).open(elf)?;
    let mut header = [0; HEADER];
    file.read_exact_at(&mut header, 0)?;
    let word = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let (from, size) = (word(32), usize::from(half(54)) * usize::from(half(56)));
    let mut programs = vec![0; size];
    file.read_exact_at(&mut programs, from)?;
    header[32..40].copy_from_slice(&64_u64.to_le_bytes());
    header[40..48].fill(0);
    header[52..54].copy_from_slice(&64_u16.to_le_bytes());
    header[58..].fill(0);
    file.write_all_at(&header, 0)?;
    Ok(file.write_all_at(&programs, 64)?)
}

/// Writes a dump anew in the flattened form.
///
/// # Errors
/// makedumpfile fails.
pub fn flattened(vmcore: &Path, output: &Path) -> Result<()> {
    let words: Vec<OsString> =
        ["-F", "-c", "-d", LEVEL].map(OsString::from).into_iter().chain([vmcore.into()]).collect();
    let flat = duct::cmd("makedumpfile", words).stdout_path(output).stderr_null().run();
    flat.map(drop).context("run makedumpfile -F")
}

/// Runs the host's makedumpfile.
///
/// # Errors
/// It fails; [`Unavailable`] if there is none.
pub fn makedumpfile(options: &[&str], vmcore: &Path, outputs: &[&Path]) -> Result<()> {
    let options = options.iter().filter(|option| !option.is_empty()).map(OsString::from);
    let files = outputs.iter().map(|path| path.as_os_str().to_owned());
    let words: Vec<OsString> = options.chain([vmcore.into()]).chain(files).collect();
    match duct::cmd("makedumpfile", words).stdout_null().stderr_to_stdout().run() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Unavailable {
            what: "makedumpfile is not installed".to_owned(),
            hint: "install the package makedumpfile".to_owned(),
        }
        .into()),
        ended => ended.map(drop).context("run makedumpfile"),
    }
}

fn by_our_writer(vmcore: &Path, folder: &Path, same: Same<'_>) -> Result<()> {
    let own = own(vmcore)?;
    let output = folder.join("vmcore");
    let write = |name: &str, bytes: &[u8]| -> Result<()> {
        fs::write(&output, bytes)?;
        same(name, vec![output.clone()])
    };
    for packing in [Packing::None, Packing::Snappy, Packing::Zstd] {
        write(&format!("kdump-compressed, {packing:?}"), &own.kdump(packing).write(&own.memory))?;
    }
    let elf = own.elf();
    write("ELF", &elf)?;
    write("flattened ELF", &flatten(&elf, 1 << 20))?;
    let (first, second) = (folder.join("first"), folder.join("second"));
    let middle = own.memory.max_pfn() / 3;
    for (path, split) in [(&first, (0, middle)), (&second, (middle, own.memory.max_pfn()))] {
        let kdump = Kdump { split: Some(split), ..own.kdump(Packing::Lzo) };
        fs::write(path, kdump.write(&own.memory))?;
    }
    // The kernel is in one of them.
    let alone = [&first, &second].map(|part| {
        let said =
            duct::cmd!(project::repro()?, "analyze", part).stderr_to_stdout().stdout_capture();
        anyhow::Ok(String::from_utf8_lossy(&said.unchecked().run()?.stdout).into_owned())
    });
    for said in alone {
        let said = said?;
        let is_named = said.contains("name all files of the set at once")
            || said.contains("the file of the split dump with pages");
        ensure!(is_named, "one file of two: {said}");
    }
    same("split in the middle of its memory", vec![second, first])?;
    own.write_ram(folder)?;
    same("raw RAM", vec![folder.join("ram.json")])
}

/// What a dump holds, for our own writer.
struct Own {
    memory: Memory,
    notes: Vec<u8>,
    vmcoreinfo: String,
    phys_base: i64,
    cpus: u32,
}

/// Reads a dump.
fn own(path: &Path) -> Result<Own> {
    let file = fs::read(path)?;
    let vmcore = Vmcore::open(&file)?;
    let mut memory = Memory::new();
    for pfn in 0..vmcore.info().max_pfn.0 {
        let mut page = vec![0; synth::PAGE];
        match vmcore.read_physical(PhysAddr(pfn * PAGE), &mut page) {
            Ok(()) => memory.set(pfn, Page::Kept(page)),
            Err(Absent::Excluded { .. }) => memory.set(pfn, Page::Excluded),
            Err(Absent::NotRam { .. }) => continue,
            Err(lost) => return Err(lost.into()),
        };
    }
    let registers = |cpu: &vmcore::CpuNote| {
        notes::prstatus(cpu.pid.cast_unsigned(), &in_their_order(&cpu.registers))
    };
    let lines = vmcore.vmcoreinfo().iter().map(|(key, value)| format!("{key}={value}\n"));
    Ok(Own {
        memory,
        notes: vmcore.cpus().iter().flat_map(registers).collect(),
        vmcoreinfo: lines.collect(),
        phys_base: vmcore.phys_base().unwrap_or_default(),
        cpus: vmcore.info().nr_cpus.unwrap_or(1),
    })
}

impl Own {
    fn kdump(&self, packing: Packing) -> Kdump {
        Kdump {
            notes: self.notes.clone(),
            vmcoreinfo: self.vmcoreinfo.clone(),
            phys_base: self.phys_base,
            nr_cpus: self.cpus,
            dump_level: 1,
            ..Kdump::new(packing)
        }
    }

    fn elf(&self) -> Vec<u8> {
        let notes = [self.notes.clone(), notes::vmcoreinfo(&self.vmcoreinfo)].concat();
        Elf { notes, ..Elf::of(&self.memory, 0) }.write()
    }

    /// The memory as a flat file, in which pages left out are zeros as they were, and notes and
    /// VMCOREINFO beside it.
    fn write_ram(&self, folder: &Path) -> Result<()> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for start in self.memory.pages.keys().map(|pfn| pfn * PAGE) {
            match ranges.last_mut() {
                Some((_, past)) if *past == start => *past += PAGE,
                _ => ranges.push((start, start + PAGE)),
            }
        }
        let (bytes, offsets) = ram(&self.memory, &ranges);
        let ranges: Vec<_> = ranges
            .iter()
            .zip(offsets)
            .map(|((start, past), offset)| {
                serde_json::json!({"start": start, "size": past - start, "offset": offset})
            })
            .collect();
        let description = serde_json::json!({
            "ram": "ram",
            "ranges": ranges,
            "notes": [{"file": "notes"}],
            "vmcoreinfo": {"file": "vmcoreinfo"},
        });
        fs::write(folder.join("ram"), bytes)?;
        fs::write(folder.join("notes"), &self.notes)?;
        fs::write(folder.join("vmcoreinfo"), &self.vmcoreinfo)?;
        Ok(fs::write(folder.join("ram.json"), description.to_string())?)
    }
}

/// The registers as `struct user_regs_struct` has them, without the segments that follow.
fn in_their_order(registers: &PtRegs) -> notes::Registers {
    let PtRegs { r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, .. } =
        *registers;
    let PtRegs { orig_ax, ip, cs, flags, sp, ss, fs_base, gs_base, .. } = *registers;
    let general = [r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di];
    let rest = [orig_ax, ip, cs, flags, sp, ss, fs_base, gs_base, 0, 0, 0, 0];
    let mut all = [0; 27];
    all[..15].copy_from_slice(&general);
    all[15..].copy_from_slice(&rest);
    all
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the programs, and shows their variables as they are before `main`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use analyzer::values::World;
use debuginfo::Image;
use tempfile::TempDir;

/// Where the sections of the module are; no address of the program.
const MODULE: u64 = 0x7000_0000;

/// The compiled programs.
pub(crate) struct Programs {
    folder: TempDir,
    program: Vec<u8>,
    module: Vec<u8>,
}

impl Programs {
    pub(crate) fn compile() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Left to itself the linker would put the per-CPU section into `.data`.
        let program = ["-no-pie", "-fno-pie", "-Wl,--unique=.data..percpu"];
        let program = gcc(&folder, "fixture.c", &program);
        let module = gcc(&folder, "hidden.c", &["-c"]);
        Self { folder, program, module }
    }

    /// What the program says that expressions are worth.
    pub(crate) fn own_words(&self) -> Vec<(String, i64)> {
        let output = Command::new(self.folder.path().join("fixture.c.out")).output();
        let output = output.expect("the program runs");
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).expect("text");
        let pair = |line: &str| {
            let (expression, value) = line.rsplit_once('|').expect("a bar");
            (expression.to_owned(), value.parse().expect("a number"))
        };
        text.lines().map(pair).collect()
    }

    pub(crate) fn world(&self) -> Scene<'_> {
        let sections = BTreeMap::from([(".data".to_owned(), MODULE)]);
        Scene {
            program: Image::kernel(&self.program, 0).expect("an image"),
            module: Image::module(&self.module, &sections).expect("a module"),
            patches: BTreeMap::new(),
        }
    }
}

fn gcc(folder: &TempDir, source: &str, options: &[&str]) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/values").join(source);
    let out: PathBuf = folder.path().join(format!("{source}.out"));
    let status = Command::new("gcc")
        .args(["-g", "-O0", "-std=gnu11", "-w"])
        .args(options)
        .arg(&path)
        .arg("-o")
        .arg(&out)
        .status()
        .expect("gcc is needed to build modules, and for this test");
    assert!(status.success(), "gcc failed");
    fs::read(out).expect("what gcc wrote")
}

/// The program as a kernel, and the module.
pub(crate) struct Scene<'a> {
    pub(crate) program: Image<'a>,
    module: Image<'a>,
    /// Numbers of 8 bytes that are in memory instead of what the file has.
    pub(crate) patches: BTreeMap<u64, u64>,
}

impl Scene<'_> {
    pub(crate) fn address(&self, name: &str) -> u64 {
        let symbol = self.program.symbol(name).or_else(|| self.module.symbol(name));
        symbol.expect("a symbol").address
    }

    fn byte(&self, address: u64) -> Option<u8> {
        if let Some((start, value)) = self.patches.range(..=address).next_back()
            && address - start < 8
        {
            return Some(value.to_le_bytes()[usize::try_from(address - start).ok()?]);
        }
        let of = |image: &Image<'_>, name| {
            let (start, bytes) = image.section(name)?;
            bytes.get(usize::try_from(address.checked_sub(start)?).ok()?).copied()
        };
        // `.bss` is all zeros, and only as long as its last variable here.
        let bss = self.program.section(".bss").map_or(0, |(start, _)| start);
        [".data", ".rodata", ".text", ".data..percpu"]
            .iter()
            .find_map(|name| of(&self.program, name))
            .or_else(|| of(&self.module, ".data"))
            .or_else(|| (bss..bss + 256).contains(&address).then_some(0))
    }
}

impl World for Scene<'_> {
    fn images(&self) -> Vec<&Image<'_>> {
        vec![&self.program, &self.module]
    }
    fn symbol(&self, _name: &str) -> Option<u64> {
        None
    }
    fn symbol_at(&self, address: u64) -> Option<(String, u64)> {
        let symbol = self.program.symbol_at(address).filter(|_| address >= 0x40_0000)?;
        let offset = address - symbol.address;
        (offset < symbol.size).then_some((symbol.name, offset))
    }
    fn read(&self, address: u64, buffer: &mut [u8]) -> Result<(), String> {
        for (at, byte) in (address..).zip(buffer) {
            *byte = self.byte(at).ok_or_else(|| format!("{at:#x}: not mapped"))?;
        }
        Ok(())
    }
    fn per_cpu_offset(&self, cpu: u32) -> Result<u64, String> {
        let copies = self.address("copies") + u64::from(cpu) * 4;
        if cpu < 2 {
            Ok(copies.wrapping_sub(self.address("counter")))
        } else {
            Err("no CPU".into())
        }
    }
    fn cpus(&self) -> Vec<u32> {
        vec![0, 1]
    }
}

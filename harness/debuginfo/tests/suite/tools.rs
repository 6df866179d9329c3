// SPDX-License-Identifier: MIT OR Apache-2.0
//! Compiles the fixtures with the host's tools and asks binutils about them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Options that give code as a kernel's: optimised, in the kernel's address range, with call frame
/// information for debuggers only.
pub(crate) const KERNEL: &[&str] = &[
    "-O2",
    "-g",
    "-mcmodel=kernel",
    "-fno-pic",
    "-ffreestanding",
    "-fno-asynchronous-unwind-tables",
];
/// Where the linked fixture's text starts, as in a kernel without KASLR.
pub(crate) const TEXT: u64 = 0xffff_ffff_8100_0000;

/// A folder for what a test builds.
#[derive(Debug)]
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs gcc on a fixture; `name` is the file to make.
    pub(crate) fn compile(&self, fixture: &str, name: &str, options: &[&str]) -> PathBuf {
        let source = self::fixture(fixture);
        let output = self.path(name);
        let mut command = Command::new("gcc");
        command.args(options).arg("-o").arg(&output).arg(source);
        run(&mut command);
        output
    }

    /// The code fixture, linked where a kernel lies.
    pub(crate) fn kernel(&self, name: &str, options: &[&str]) -> PathBuf {
        let object =
            self.compile("code.c", &format!("{name}.o"), &[KERNEL, options, &["-c"]].concat());
        self.link(&object, name)
    }

    /// Links an object where a kernel lies.
    pub(crate) fn link(&self, object: &Path, name: &str) -> PathBuf {
        let output = self.path(name);
        let mut command = Command::new("ld");
        command.args(["-static", "--unresolved-symbols=ignore-all", "-e", "start_kernel"]);
        command.arg(format!("-Ttext={TEXT:#x}")).arg("-o").arg(&output).arg(object);
        run(&mut command);
        output
    }
}

/// Path of a fixture.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Runs a command and gives its output; a test cannot go on without it.
pub(crate) fn run(command: &mut Command) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{name} cannot be run ({error}): install gcc and binutils"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("tools print UTF-8")
}

/// A frame as `addr2line -i -f` prints it: function, file and line.
pub(crate) type Frame = (String, String);

/// What `addr2line -i -f -a` says about addresses, in their order. `directory` is cut off paths.
pub(crate) fn addr2line(file: &Path, options: &[&str], addresses: &[u64]) -> Vec<Vec<Frame>> {
    let list = file.with_extension("addresses");
    let text: String = addresses.iter().map(|address| format!("{address:x}\n")).collect();
    std::fs::write(&list, text).expect("the list can be written");
    let mut command = Command::new("addr2line");
    command.args(["-i", "-f", "-a"]).args(options).arg("-e").arg(file);
    command.stdin(std::fs::File::open(list).expect("the list can be read"));
    let here = std::env::current_dir().expect("there is a current folder");
    let here = format!("{}/", here.display());
    let output = run(&mut command);
    let mut lines = output.lines().peekable();
    let mut answers = Vec::new();
    while lines.next().is_some() {
        let mut frames = Vec::new();
        while let Some(function) = lines.next_if(|line| !line.starts_with("0x")) {
            let place = lines.next().expect("a line follows the function");
            let place = place.split(" (discriminator").next().unwrap_or(place);
            let place = place.strip_prefix(&here).unwrap_or(place);
            frames.push((function.to_owned(), place.to_owned()));
        }
        answers.push(frames);
    }
    answers
}

/// Values, sizes and names of the symbols of a type (`t`, `T`, `d`, …), as `nm -S` says.
pub(crate) fn symbols(file: &Path, types: &str) -> BTreeMap<String, (u64, u64)> {
    let output = run(Command::new("nm").arg("-S").arg(file));
    let mut symbols = BTreeMap::new();
    for line in output.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [address, size, kind, name] = fields[..]
            && types.contains(kind)
        {
            let number = |text| u64::from_str_radix(text, 16).expect("nm prints hex");
            symbols.insert(name.to_owned(), (number(address), number(size)));
        }
    }
    symbols
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A conversation about a small dump, from a file of commands and at a terminal.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use synth::{Elf, Memory, notes};
use tempfile::TempDir;

/// A dump of one page that says which kernel it is of, and a folder for what is written.
struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = Memory::new();
        memory.write(0x1000, b"a page");
        let mut elf = Elf::of(&memory, 0);
        elf.notes = notes::prstatus(1, &[0; 27]);
        elf.notes
            .extend(notes::vmcoreinfo("OSRELEASE=6.1.0\nNUMBER(phys_base)=0\nKERNELOFFSET=0\n"));
        fs::write(folder.path().join("vmcore"), elf.write()).unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_repro"));
        command.arg("crash").arg(self.path("vmcore")).args(arguments);
        command.current_dir(self.folder.path());
        command.env("XDG_STATE_HOME", self.path("state")).env("PAGER", "cat").env("TERM", "dumb");
        command
    }

    /// What comes of lines at stdin.
    fn says(&self, arguments: &[&str], lines: &str) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn output_goes_into_a_pipe_or_a_file() {
    let desk = Desk::new();
    let output = desk.says(
        &[],
        "help | grep -c '^bt '\neval (6 * 7) > out.txt\neval 1 >> out.txt\n!echo of the shell\nquit\nhelp\n",
    );
    assert!(output.status.success());
    let said = text(&output);
    let (header, answers) = said.split_once("PANIC: (unknown)\n").unwrap();
    assert!(header.trim_start().starts_with("KERNEL: (no vmlinux)\n"), "as at a terminal: {said}");
    assert_eq!(answers, "1\nof the shell\n", "nothing after `quit`");
    let written = fs::read_to_string(desk.path("out.txt")).unwrap();
    assert!(written.contains("42") && written.contains("hexadecimal: 1"), "{written}");
}

#[test]
fn a_dump_that_was_cut_is_said_to_be_before_the_first_answer() {
    let desk = Desk::new();
    let whole = fs::read(desk.path("vmcore")).unwrap();
    let said = || String::from_utf8(desk.says(&["-c", "eval 1; eval 2"], "").stderr).unwrap();
    assert!(!said().contains("cut"), "{}", said());
    fs::write(desk.path("vmcore"), &whole[..whole.len() - 0x100]).unwrap();
    let bytes = format!("it should have at least {} bytes", whole.len());
    assert_eq!(said().matches(&bytes).count(), 1, "{}", said());
}

#[test]
fn files_of_commands_are_read_first_and_may_end_it() {
    let desk = Desk::new();
    fs::write(desk.path("first"), "eval 5\n< second\n").unwrap();
    fs::write(desk.path("second"), "eval 6\nq\neval 7\n").unwrap();
    let output = desk.says(&["--input", "first"], "eval 8\n");
    let said = text(&output);
    assert!(said.contains("decimal: 5") && said.contains("decimal: 6"), "{said}");
    assert!(!said.contains("decimal: 7") && !said.contains("decimal: 8"), "{said}");
    fs::write(desk.path("circle"), "< circle\n").unwrap();
    let output = desk.says(&["--input", "circle"], "");
    assert!(String::from_utf8_lossy(&output.stderr).contains("read each other"));
}

/// Whatever is said, in answers and in errors, may have been chosen by others.
#[test]
fn nothing_that_is_said_acts_on_a_terminal_or_a_pipeline() {
    let desk = Desk::new();
    let name = "\u{1b}]52,c,eA==\u{7}##[error]x\u{202e}";
    let shown = |output: &Output| {
        let all = text(output) + &String::from_utf8_lossy(&output.stderr);
        assert!(all.contains("52,c,eA=="), "it is shown: {all}");
        let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!all.contains(acts) && !all.contains("##["), "{all:?}");
    };
    for arguments in [&[][..], &["--format", "json"]] {
        shown(&desk.says(arguments, &format!("sym {name}\n")));
        shown(&desk.says(arguments, &format!("{name} | cat\n")));
    }
    let mut analyze = Command::new(env!("CARGO_BIN_EXE_repro"));
    shown(&analyze.arg("analyze").arg(desk.path(name)).output().unwrap());
}

/// A terminal with the program on it.
struct Terminal {
    master: OwnedFd,
    seen: String,
}

impl Terminal {
    /// Reads until the program has printed something.
    fn until(&mut self, words: &str) {
        let mut bytes = [0; 4096];
        while !self.seen.contains(words) {
            match rustix::io::read(&self.master, &mut bytes) {
                Ok(0) | Err(_) => panic!("`{words}` never came: {}", self.seen),
                Ok(count) => self.seen.push_str(&String::from_utf8_lossy(&bytes[..count])),
            }
        }
        let end = self.seen.find(words).unwrap() + words.len();
        self.seen.drain(..end);
    }

    fn types(&self, keys: &str) {
        rustix::io::write(&self.master, keys.as_bytes()).unwrap();
    }
}

fn open(path: &Path) -> fs::File {
    fs::File::options().read(true).write(true).open(path).unwrap()
}

#[test]
fn a_terminal_has_completion_history_and_a_way_out() {
    let desk = Desk::new();
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = open(Path::new(name.to_str().unwrap()));
    let mut command = desk.command(&[]);
    command.env("TERM", "xterm");
    command.stdin(slave.try_clone().unwrap()).stdout(slave.try_clone().unwrap());
    command.stderr(slave);
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut terminal = Terminal { master, seen: String::new() };
    terminal.until("crash> ");
    // Tab completes the only command that begins so.
    terminal.types("fore\t");
    terminal.until("foreach");
    // Ctrl-C throws the line away and the conversation goes on.
    terminal.types("\x03");
    terminal.until("crash> ");
    terminal.types("eval (6 * 7)\r");
    terminal.until("2a");
    terminal.until("crash> ");
    terminal.types("h\r");
    terminal.until("[1] eval (6 * 7)");
    terminal.until("crash> ");
    terminal.types("\x04");
    assert!(child.wait().unwrap().success());
    let mut kept = String::new();
    let file = desk.path("state").join("repro").join("crash_history");
    fs::File::open(file).unwrap().read_to_string(&mut kept).unwrap();
    assert!(kept.contains("eval (6 * 7)"), "{kept}");
}

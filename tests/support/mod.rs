// SPDX-License-Identifier: MIT OR Apache-2.0
//! What several tests need: a plan for a scripted guest, a tiny vmcore, a memory of events.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test it helps")]

use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use harness::events::{Accel, Bus, CaptureMethod, Event, Reporter, Stamped};
use harness::run::accel::{Candidates, Memory};
use harness::run::limits::Limits;
use harness::run::plan::{ByAccel, Module, ModuleFrom, Plan, Sysctl, Trigger};
use harness::run::{Driven, Recorder, drive};
use tests::script::{Log, Script, ScriptLauncher};

/// The limits of a scripted guest. No second of them passes in a test.
pub(crate) const LIMITS: Limits = Limits {
    first_output: Duration::from_secs(5),
    boot: Duration::from_secs(60),
    arm: Duration::from_secs(20),
    load: Duration::from_secs(20),
    trigger: Duration::from_secs(30),
    settle: Duration::from_secs(3),
    capture_boot: Duration::from_secs(15),
    capture: Duration::from_secs(60),
};

/// A plan with two modules and both ways of capturing.
pub(crate) fn plan() -> Plan {
    let module = |name: &str| Module {
        name: format!("{name}.ko"),
        from: ModuleFrom::Case(format!("/case/{name}.ko")),
        parameters: String::new(),
    };
    let sysctl = |name: &str, required| Sysctl { name: name.into(), value: "1".into(), required };
    Plan {
        case: "null-call".into(),
        guest: "scripted".into(),
        cpus: 2,
        memory_bytes: 1 << 30,
        kernel: PathBuf::from("/boot/vmlinuz"),
        initrd: tempfile::tempfile().unwrap(),
        command_line: "console=ttyS0".into(),
        crashkernel: "128M".into(),
        capture_command_line: ByAccel { kvm: "maxcpus=1".into(), tcg: "maxcpus=1 nosmp".into() },
        sysctls: vec![
            sysctl("kernel.panic_on_oops", true),
            sysctl("kernel.unknown_nmi_panic", false),
        ],
        modules: vec![module("akfs"), module("process")],
        module_disk: None,
        trigger: Trigger {
            label: "trigger.sh".into(),
            argv: vec!["/bin/sh".into(), "/case/trigger.sh".into()],
            environment: Default::default(),
            tells: false,
            limit: None,
            settle: None,
            stop_unless: None,
        },
        unload: false,
        capture: vec![CaptureMethod::Kdump, CaptureMethod::Qmp],
        limits: ByAccel { kvm: LIMITS, tcg: LIMITS },
        snapshot: None,
    }
}

/// The smallest ELF vmcore: a header, one note segment and one page of memory. Written from
/// elf(5), without the readers' help.
pub(crate) fn vmcore() -> Vec<u8> {
    let page_at = 0x1000_u64;
    let mut file = Vec::new();
    let mut put = |bytes: &[u8]| file.write_all(bytes).unwrap();
    put(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    for half in [4_u16, 62] {
        put(&half.to_le_bytes()); // ET_CORE, EM_X86_64
    }
    put(&1_u32.to_le_bytes());
    for quad in [0_u64, 64, 0] {
        put(&quad.to_le_bytes()); // entry, program headers, section headers
    }
    put(&0_u32.to_le_bytes());
    for half in [64_u16, 56, 2, 0, 0, 0] {
        put(&half.to_le_bytes());
    }
    let mut segment = |kind: u32, offset: u64, physical: u64, size: u64| {
        put(&kind.to_le_bytes());
        put(&0_u32.to_le_bytes());
        for quad in [offset, 0, physical, size, size, 0] {
            put(&quad.to_le_bytes());
        }
    };
    segment(4, 176, 0, 0); // PT_NOTE, empty
    segment(1, page_at, 0x10_0000, 0x1000); // PT_LOAD
    file.resize(usize::try_from(page_at).unwrap(), 0);
    file.extend([0xaa; 0x1000]);
    file
}

/// A note as the kernel lays it out (`append_elf_note` in `kernel/crash_core.c`).
pub(crate) fn note(name: &str, kind: u32, content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = |bytes: usize| u32::try_from(bytes).unwrap();
    for number in [length(name.len() + 1), length(content.len()), kind] {
        bytes.extend(number.to_le_bytes());
    }
    for part in [[name.as_bytes(), b"\0"].concat(), content.to_vec()] {
        bytes.extend(&part);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes
}

/// Keeps every event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Events(Rc<RefCell<Vec<Event>>>);

impl Events {
    pub(crate) fn all(&self) -> Vec<Event> {
        self.0.borrow().clone()
    }

    pub(crate) fn console(&self) -> Vec<String> {
        let line = |event| match event {
            Event::Console { line, .. } => Some(line),
            _ => None,
        };
        self.all().into_iter().filter_map(line).collect()
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        let warning = |event| match event {
            Event::Note { warning: true, message } => Some(message),
            _ => None,
        };
        self.all().into_iter().filter_map(warning).collect()
    }
}

impl Reporter for Events {
    fn event(&mut self, event: &Stamped) {
        self.0.borrow_mut().push(event.event.clone());
    }
}

/// What a scripted run left behind.
pub(crate) struct Played {
    pub(crate) driven: Driven,
    pub(crate) events: Events,
    pub(crate) log: Log,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) memory: Memory,
}

impl Played {
    pub(crate) fn failure(&self) -> String {
        self.driven.failure.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    /// Names in the artefact folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "hosts")
            .collect();
        names.sort();
        names
    }
}

/// Plays scripts, one for each accelerator in `order`.
pub(crate) fn play(order: &[Accel], scripts: impl IntoIterator<Item = Script>) -> Played {
    play_plan(&plan(), order, scripts)
}

pub(crate) fn play_plan(
    plan: &Plan,
    order: &[Accel],
    scripts: impl IntoIterator<Item = Script>,
) -> Played {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::open(folder.path());
    let events = Events::default();
    let mut launcher = ScriptLauncher::new(scripts);
    let mut bus = Bus::new(vec![Box::new(events.clone())]);
    let mut recorder = Recorder::new(&mut bus);
    let candidates = Candidates { order: order.to_vec(), reason: None };
    let driven = drive(plan, &mut launcher, &candidates, &memory, &mut recorder, folder.path());
    Played { driven, events, log: launcher.log(), folder, memory }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drives a guest from QEMU's start to the vmcore on the host.

use std::io;
use std::path::Path;

use crate::capture::{self, Captured};
use crate::error::Failure;
use crate::events::{Accel, CaptureMethod, Event, Phase};
use crate::exit::Exit;
use crate::run::accel::{Candidates, Memory};
use crate::run::boot::NotReady;
use crate::run::outcome::Crash;
use crate::run::plan::Plan;
use crate::run::recorder::Recorder;
use crate::run::session::Session;
use crate::run::trigger::NoCrash;
use crate::units;
use crate::vm::{Disks, LaunchError, Launcher};

/// What came of driving a guest.
#[derive(Debug, Default)]
pub struct Driven {
    /// What ran the guest's CPUs.
    pub accel: Option<Accel>,
    /// Why that is not KVM, where the choice was open.
    pub accel_reason: Option<String>,
    /// QEMU's version.
    pub qemu: Option<String>,
    /// The crash, if there was one.
    pub crash: Option<Crash>,
    /// How the vmcore was taken; it is in the folder, named `vmcore`.
    pub capture: Option<CaptureMethod>,
    /// Why it was not taken in the first way.
    pub capture_reason: Option<String>,
    /// Whether the guest's kernel printed or said something.
    pub ran: bool,
    /// Whether the kernel survived the trigger.
    pub survived: bool,
    /// What went wrong.
    pub failure: Option<Failure>,
}

/// Drives a guest. The vmcore, its log and `qemu.txt` are written into `folder`.
pub fn drive(
    plan: &Plan,
    launcher: &mut dyn Launcher,
    candidates: &Candidates,
    memory: &Memory,
    recorder: &mut Recorder<'_>,
    folder: &Path,
) -> Driven {
    let mut driven = Driven { accel_reason: candidates.reason.clone(), ..Driven::default() };
    let disks = match Disks::create(folder) {
        Ok(disks) => disks,
        Err(error) => {
            driven.failure = Some(unwritable(folder, &error));
            return driven;
        }
    };
    let mut given_up = None;
    let mut tries = candidates.order.iter().copied().peekable();
    while let Some(accel) = tries.next() {
        let attempt = Attempt { plan, accel, disks: &disks, folder };
        let fall_back = tries.peek().is_some();
        let rejected = attempt.make(launcher, recorder, fall_back, &mut driven);
        let Some(reason) = rejected else { break };
        recorder.emit(Event::AccelRejected { accel, reason: reason.clone() });
        given_up = Some((accel, reason.clone()));
        driven = Driven { accel_reason: Some(reason), ..Driven::default() };
    }
    // A guest that runs nowhere tells nothing about the accelerator.
    if let Some((accel, reason)) = given_up.filter(|_| driven.ran)
        && let Err(error) = memory.remember(&reason)
    {
        recorder.warn(format!("cannot remember that {accel} does not work here: {error}"));
    }
    driven
}

fn unwritable(folder: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot write to {}", folder.display());
    Failure::new(Exit::WriteFailed, message).caused_by(error)
}

/// One start of QEMU.
struct Attempt<'a> {
    plan: &'a Plan,
    accel: Accel,
    disks: &'a Disks,
    folder: &'a Path,
}

impl Attempt<'_> {
    /// Drives the guest to its end. With `fall_back`, an accelerator that does not work is not a
    /// failure: the reason is returned.
    fn make(
        &self,
        launcher: &mut dyn Launcher,
        recorder: &mut Recorder<'_>,
        fall_back: bool,
        driven: &mut Driven,
    ) -> Option<String> {
        let plan = self.plan;
        driven.accel = Some(self.accel);
        let size = units::bytes(plan.memory_bytes);
        let what = format!("{} [{}, {} cpus, {size}]", plan.guest, self.accel, plan.cpus);
        recorder.begin(Phase::Boot, what.clone());
        let machine = match self.launch(launcher, recorder) {
            Ok(machine) => machine,
            Err(LaunchFailure::Accel(reason)) if fall_back => return Some(reason),
            Err(LaunchFailure::Accel(reason)) => {
                let message = format!("a guest cannot run under {}", self.accel);
                let mut failure = Failure::new(Exit::Unavailable, message)
                    .hint("use --accel tcg, or --accel auto");
                failure.causes.push(reason);
                driven.failure = Some(failure);
                return None;
            }
            Err(LaunchFailure::Other(failure)) => {
                driven.failure = Some(failure);
                return None;
            }
        };
        driven.qemu = Some(machine.version());
        let mut session = Session::new(machine, recorder, *plan.limits.get(self.accel));
        // Every KVM guest has to prove itself, the later ones too: it costs nothing.
        let first_output = (self.accel == Accel::Kvm).then_some(session.limits.first_output);
        let booted = session.boot(first_output);
        driven.ran = session.kernel_spoke;
        match booted {
            Ok(kernel) => session.recorder.finish(format!("{what}, {kernel}")),
            Err(NotReady::Silent { limit }) if self.accel == Accel::Kvm => {
                let reason =
                    format!("KVM opens, but the guest's kernel printed nothing within {limit:?}");
                if fall_back {
                    return Some(reason);
                }
                driven.failure = Some(
                    Failure::new(Exit::Unavailable, reason)
                        .hint("use --accel tcg, or --accel auto"),
                );
                return None;
            }
            Err(why) => {
                let armed = Err("the guest crashed before it was loaded".to_owned());
                self.not_ready(&mut session, why, &armed, driven);
                return None;
            }
        }
        self.after_boot(&mut session, driven);
        None
    }

    fn launch(
        &self,
        launcher: &mut dyn Launcher,
        recorder: &mut Recorder<'_>,
    ) -> Result<Box<dyn crate::vm::Machine>, LaunchFailure> {
        let plan = self.plan;
        let spec = plan.spec(self.accel, self.disks);
        let command_line = launcher.describe(&spec);
        let written = self
            .disks
            .reset(plan.memory_bytes)
            .and_then(|()| std::fs::write(self.folder.join("qemu.txt"), &command_line));
        written.map_err(|error| LaunchFailure::Other(unwritable(self.folder, &error)))?;
        let machine = launcher.launch(&spec).map_err(|error| self.launch_failure(error))?;
        let qemu = machine.version();
        recorder.emit(Event::MachineStarted { accel: self.accel, qemu, command_line });
        Ok(machine)
    }

    fn launch_failure(&self, error: LaunchError) -> LaunchFailure {
        match error {
            LaunchError::Ended { how, stderr } if self.accel == Accel::Kvm => {
                let first = stderr.lines().next().unwrap_or("no message");
                LaunchFailure::Accel(format!("QEMU ended at once ({how}): {first}"))
            }
            LaunchError::Interrupted => {
                LaunchFailure::Other(Failure::new(Exit::Interrupted, "interrupted"))
            }
            error => LaunchFailure::Other(
                Failure::from_error(Exit::Unavailable, &error)
                    .hint("`repro doctor` says what this machine lacks"),
            ),
        }
    }

    fn after_boot(&self, session: &mut Session<'_, '_>, driven: &mut Driven) {
        let plan = self.plan;
        session.recorder.begin(Phase::Arm, format!("crashkernel={}", plan.crashkernel));
        let command_line = plan.capture_command_line.get(self.accel);
        let armed = match session.arm(command_line, &plan.sysctls) {
            Ok(armed) => armed,
            Err(why) => {
                let armed = Err("the guest crashed before it was loaded".to_owned());
                return self.not_ready(session, why, &armed, driven);
            }
        };
        match &armed {
            Ok(()) => session.recorder.finish(format!("kdump, crashkernel={}", plan.crashkernel)),
            Err(why) => {
                session.recorder.warn(format!("kdump cannot be armed: {why}"));
                session.recorder.finish("nothing: QEMU will take the dump");
            }
        }
        let names: Vec<_> = plan.modules.iter().map(|module| module.name.as_str()).collect();
        session.recorder.begin(Phase::Load, names.join(", "));
        if let Err(why) = session.load(plan) {
            return self.not_ready(session, why, &armed, driven);
        }
        session.recorder.finish(names.join(", "));
        self.provoke(session, &armed, driven);
    }

    fn provoke(
        &self,
        session: &mut Session<'_, '_>,
        armed: &Result<(), String>,
        driven: &mut Driven,
    ) {
        let trigger = &self.plan.trigger;
        session.recorder.begin(Phase::Trigger, trigger.label.clone());
        match session.trigger(trigger) {
            Ok(()) => {
                session.recorder.finish(trigger.label.clone());
                self.take_dump(session, armed, driven);
            }
            Err(NoCrash::Survived { .. }) => driven.survived = true,
            Err(why) => driven.failure = Some(no_crash_failure(&why)),
        }
    }

    /// A guest that did not get as far as the trigger. If it crashed, its dump tells why.
    fn not_ready(
        &self,
        session: &mut Session<'_, '_>,
        why: NotReady,
        armed: &Result<(), String>,
        driven: &mut Driven,
    ) {
        if !matches!(why, NotReady::Crashed) {
            driven.failure = Some(not_ready_failure(&why));
            return;
        }
        let loading = session.phase == Phase::Load;
        let message = session.crash.as_ref().and_then(|crash| crash.message.clone());
        session.recorder.finish("crashed");
        self.take_dump(session, armed, driven);
        // A module that crashes the kernel while it is loaded is judged like any other crash.
        if !loading && driven.failure.is_none() {
            let what =
                if session.phase == Phase::Boot { "the guest was up" } else { "kdump was armed" };
            let mut failure =
                Failure::new(Exit::BootFailed, format!("the guest's kernel crashed before {what}"));
            failure.causes.extend(message);
            driven.failure = Some(failure);
        }
    }

    fn take_dump(
        &self,
        session: &mut Session<'_, '_>,
        armed: &Result<(), String>,
        driven: &mut Driven,
    ) {
        if let Some(Crash { sign, phase, message }) = session.crash.clone() {
            session.recorder.emit(Event::CrashSeen { sign, phase, message });
        }
        session.recorder.begin(Phase::Capture, "vmcore");
        let result = capture::capture(session, self.plan, armed, self.disks, self.folder);
        session.machine.kill();
        driven.crash = session.crash.clone();
        driven.capture_reason = result.reason;
        match result.captured {
            Ok(captured) => self.keep(&captured, session, driven),
            Err(failure) => {
                driven.failure = Some(failure);
                if let Some(bytes) = result.cut {
                    let path = self.folder.join("vmcore-incomplete");
                    // It is a help for people, not a result: without it the failure is the same.
                    let _ = capture::keep_file(&self.disks.vmcore, bytes, &path);
                }
            }
        }
    }

    fn keep(&self, captured: &Captured, session: &mut Session<'_, '_>, driven: &mut Driven) {
        match capture::keep(captured, self.disks, self.folder) {
            Ok(()) => {
                driven.capture = Some(captured.method);
                let size = units::bytes(captured.bytes);
                session.recorder.finish(format!("vmcore by {}: {size}", captured.method));
            }
            Err(error) => driven.failure = Some(unwritable(self.folder, &error)),
        }
    }
}

enum LaunchFailure {
    /// QEMU does not start under this accelerator.
    Accel(String),
    Other(Failure),
}

fn not_ready_failure(why: &NotReady) -> Failure {
    match why {
        NotReady::Interrupted => Failure::new(Exit::Interrupted, "interrupted"),
        NotReady::QemuLost { stderr, .. } => {
            let mut failure = Failure::from_error(Exit::BootFailed, why);
            failure.causes.extend((!stderr.is_empty()).then(|| stderr.clone()));
            failure
        }
        _ => Failure::from_error(Exit::BootFailed, why),
    }
}

fn no_crash_failure(why: &NoCrash) -> Failure {
    match why {
        NoCrash::Interrupted => Failure::new(Exit::Interrupted, "interrupted"),
        NoCrash::QemuLost { stderr, .. } => {
            let mut failure = Failure::from_error(Exit::CaptureFailed, why);
            failure.causes.extend((!stderr.is_empty()).then(|| stderr.clone()));
            failure
        }
        NoCrash::NotStarted { .. } => Failure::from_error(Exit::BootFailed, why),
        NoCrash::Survived { .. } | NoCrash::Halted { .. } => {
            Failure::from_error(Exit::CaseFailed, why)
        }
    }
}

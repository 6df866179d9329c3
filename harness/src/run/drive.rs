// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drives a guest from QEMU's start to the vmcore on the host.

use std::io;
use std::path::Path;

use crate::capture::{self, Captured, Targets};
use crate::compose::{Image, Ram};
use crate::error::Failure;
use crate::events::{Accel, CaptureMethod, CrashSign, Event, Phase};
use crate::exit::Exit;
use crate::run::accel::{Candidates, Memory};
use crate::run::attempt::{Attempt, LaunchFailure, unwritable};
use crate::run::boot::NotReady;
use crate::run::complaints::Complaints;
use crate::run::outcome::Crash;
use crate::run::plan::{BootWay, Plan};
use crate::run::recorder::Recorder;
use crate::run::restore::{NoSnapshot, Restored};
use crate::run::session::Session;
use crate::run::trigger::NoCrash;
use crate::run::trigger_run::TriggerRun;
use crate::units;
use crate::vm::{Disks, Launcher, SharedRam};

/// What came of driving a guest.
#[derive(Debug, Default)]
pub struct Driven {
    /// What ran the guest's CPUs.
    pub accel: Option<Accel>,
    /// Why that is not KVM, where the choice was open.
    pub accel_reason: Option<String>,
    /// QEMU's version.
    pub qemu: Option<String>,
    /// The end of what it wrote to stderr, where it ended by itself or had to be ended.
    pub qemu_stderr: Option<String>,
    /// The crash, if there was one.
    pub crash: Option<Crash>,
    /// How the guest got up.
    pub boot: Option<BootWay>,
    /// Why not from a snapshot, where that was wanted.
    pub boot_reason: Option<String>,
    /// How the vmcore was taken; it is in the folder, named `vmcore`, or still in `image`.
    pub capture: Option<CaptureMethod>,
    /// Why it was not taken in the first way.
    pub capture_reason: Option<String>,
    /// The memory, from a fast capture: there is no vmcore yet.
    pub image: Option<Image>,
    /// Why this guest cannot be captured fast. Nothing was loaded or triggered.
    pub not_fast: Option<String>,
    /// Whether the guest's kernel printed or said something.
    pub ran: bool,
    /// Whether the kernel survived the trigger, and the end of its modules.
    pub survived: bool,
    /// Whether its modules were unloaded then.
    pub unloaded: bool,
    /// What a kernel that survived complained of.
    pub complaints: Complaints,
    /// What became of the trigger, if it was started.
    pub trigger: Option<TriggerRun>,
    /// Why the kernel did not load a module.
    pub refused: Option<String>,
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

fn no_ram(plan: &Plan, error: &io::Error) -> Failure {
    let size = units::bytes(plan.memory_bytes);
    let message = format!("there is no memory for a guest of {size}");
    Failure::new(Exit::Unavailable, message).caused_by(error)
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
        driven.accel = Some(self.accel);
        let what = self.what();
        recorder.begin(Phase::Boot, what.clone());
        if let Some(from) = &self.plan.snapshot {
            match self.restore(from, launcher, recorder) {
                Ok(restored) => {
                    self.after_restore(restored, recorder, driven);
                    return None;
                }
                Err(NoSnapshot::Interrupted) => {
                    driven.failure = Some(Failure::new(Exit::Interrupted, "interrupted"));
                    return None;
                }
                // Whatever it was about then.
                Err(NoSnapshot::Because(_)) if from.interrupt.requested() => {
                    driven.failure = Some(Failure::new(Exit::Interrupted, "interrupted"));
                    return None;
                }
                Err(NoSnapshot::Because(why)) => {
                    recorder.warn(format!("no snapshot: {why}; the guest boots"));
                    driven.boot_reason = Some(why);
                }
            }
        }
        self.cold(launcher, recorder, fall_back, driven)
    }

    fn what(&self) -> String {
        let Plan { guest, cpus, memory_bytes, .. } = self.plan;
        format!("{guest} [{}, {cpus} cpus, {}]", self.accel, units::bytes(*memory_bytes))
    }

    /// Goes on with a guest that is armed already.
    fn after_restore(&self, restored: Restored, recorder: &mut Recorder<'_>, driven: &mut Driven) {
        let Restored { machine, ram, about, just_made } = restored;
        driven.qemu = Some(machine.version());
        driven.boot = Some(BootWay::Snapshot);
        driven.ran = true;
        if !just_made {
            for (at_ms, line) in about.console {
                recorder.emit(Event::Console { at_ms, line });
            }
        }
        let how = if just_made { "a snapshot that was made now" } else { "a snapshot" };
        recorder.finish(format!("{}, {} from {how}", self.what(), about.kernel));
        let mut session = Session::new(machine, recorder, *self.plan.limits.get(self.accel));
        session.kernel_spoke = true;
        session.memory = Some(about.memory);
        let guest = Guest { attempt: self, ram: Some(&ram) };
        match session.arm(None, "", &self.plan.sysctls) {
            Ok(_) => guest.after_arm(&mut session, &Ok(()), driven),
            Err(why) => guest.not_ready(&mut session, why, &Ok(()), driven),
        }
    }

    /// Boots the guest.
    fn cold(
        &self,
        launcher: &mut dyn Launcher,
        recorder: &mut Recorder<'_>,
        fall_back: bool,
        driven: &mut Driven,
    ) -> Option<String> {
        let plan = self.plan;
        let what = self.what();
        driven.boot = Some(BootWay::Cold);
        let ram = match plan.is_fast().then(|| Ram::create(plan.memory_bytes)).transpose() {
            Ok(ram) => ram,
            Err(error) => {
                driven.failure = Some(no_ram(plan, &error));
                return None;
            }
        };
        let shared =
            ram.as_ref().map(|ram| SharedRam { file: &ram.file, case: None, incoming: false });
        let spec = plan.spec(self.accel, self.disks, shared);
        let machine = match self.launch(&spec, launcher, recorder) {
            Ok(machine) => machine,
            Err(LaunchFailure::Accel { reason, .. }) if fall_back => return Some(reason),
            Err(LaunchFailure::Accel { reason, stderr }) => {
                driven.qemu_stderr = Some(stderr).filter(|stderr| !stderr.is_empty());
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
        let guest = Guest { attempt: self, ram: ram.as_ref() };
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
                session.end();
                driven.qemu_stderr = session.qemu_stderr.take();
                driven.failure = Some(
                    Failure::new(Exit::Unavailable, reason)
                        .hint("use --accel tcg, or --accel auto"),
                );
                return None;
            }
            Err(why) => {
                let armed = Err("the guest crashed before it was loaded".to_owned());
                guest.not_ready(&mut session, why, &armed, driven);
                driven.qemu_stderr = session.qemu_stderr.take();
                return None;
            }
        }
        guest.after_boot(&mut session, driven);
        driven.qemu_stderr = session.qemu_stderr.take();
        None
    }
}

/// A guest that runs.
struct Guest<'a> {
    attempt: &'a Attempt<'a>,
    /// Its RAM, where the host has it.
    ram: Option<&'a Ram>,
}

impl Guest<'_> {
    fn after_boot(&self, session: &mut Session<'_, '_>, driven: &mut Driven) {
        let Attempt { plan, accel, .. } = self.attempt;
        session.recorder.begin(Phase::Arm, format!("crashkernel={}", plan.crashkernel));
        let command_line = plan.capture_command_line.get(*accel);
        let armed = match session.arm(plan.arm_method(), command_line, &plan.sysctls) {
            Ok(armed) => armed,
            Err(why) => {
                let armed = Err("the guest crashed before it was loaded".to_owned());
                return self.not_ready(session, why, &armed, driven);
            }
        };
        match &armed {
            Ok(()) if plan.is_fast() => {
                session.recorder.finish(format!("crash stub, crashkernel={}", plan.crashkernel));
            }
            Ok(()) => session.recorder.finish(format!("kdump, crashkernel={}", plan.crashkernel)),
            Err(_) if plan.arm_method().is_none() => {
                session.recorder.finish("nothing: QEMU will take the dump");
            }
            Err(why) if plan.is_fast() => {
                driven.not_fast = Some(why.clone());
                return;
            }
            Err(why) => {
                session.recorder.warn(format!("kdump cannot be armed: {why}"));
                session.recorder.finish("nothing: QEMU will take the dump");
            }
        }
        self.after_arm(session, &armed, driven);
    }

    fn after_arm(
        &self,
        session: &mut Session<'_, '_>,
        armed: &Result<(), String>,
        driven: &mut Driven,
    ) {
        let plan = self.attempt.plan;
        let names: Vec<_> = plan.modules.iter().map(|module| module.name.as_str()).collect();
        session.recorder.begin(Phase::Load, names.join(", "));
        if let Err(why) = session.load(plan) {
            return self.not_ready(session, why, armed, driven);
        }
        session.recorder.finish(names.join(", "));
        self.provoke(session, armed, driven);
    }

    fn provoke(
        &self,
        session: &mut Session<'_, '_>,
        armed: &Result<(), String>,
        driven: &mut Driven,
    ) {
        let trigger = &self.attempt.plan.trigger;
        session.recorder.begin(Phase::Trigger, trigger.label.clone());
        match session.trigger(trigger) {
            Ok(()) => {
                session.recorder.finish(trigger.label.clone());
                self.take_dump(session, armed, driven);
            }
            Err(NoCrash::Survived { .. }) => self.survived(session, armed, driven),
            Err(NoCrash::Complained) => {
                session.recorder.finish(trigger.label.clone());
                self.complained(session, driven);
            }
            Err(why) => driven.failure = Some(no_crash_failure(&why)),
        }
        driven.trigger = session.trigger.take();
    }

    /// A kernel that the trigger did not crash.
    fn survived(
        &self,
        session: &mut Session<'_, '_>,
        armed: &Result<(), String>,
        driven: &mut Driven,
    ) {
        let plan = self.attempt.plan;
        if plan.unload {
            let names: Vec<_> = plan.own_modules().map(|module| module.name.as_str()).collect();
            session.recorder.finish(plan.trigger.label.clone());
            session.recorder.begin(Phase::Unload, names.join(", "));
            if let Err(why) = session.unload(plan) {
                return self.not_ready(session, why, armed, driven);
            }
            session.recorder.finish(names.join(", "));
            driven.unloaded = true;
        }
        driven.survived = true;
        driven.complaints = session.survived();
    }

    /// A kernel that is stopped where it complained: QEMU writes its memory. Without that, its log is there.
    fn complained(&self, session: &mut Session<'_, '_>, driven: &mut Driven) {
        session.recorder.begin(Phase::Capture, "vmcore");
        let captured = capture::of_running(session, self.attempt.disks);
        let message = session.complaints.lines.last().cloned();
        let (sign, phase) = (CrashSign::Complaint, Phase::Trigger);
        driven.complaints = session.survived();
        session.end();
        match captured {
            Ok(captured) => {
                driven.crash = Some(Crash { sign, phase, message });
                self.keep(&captured, session, driven);
            }
            Err(problem) => {
                driven.survived = true;
                session.recorder.warn(format!("no vmcore: {problem}"));
                driven.capture_reason = Some(problem.to_string());
            }
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
        if let NotReady::ModuleRefused { .. } = &why {
            driven.refused = Some(why.to_string());
        }
        // A module's function that never returns is what the run is about.
        let never_returns =
            matches!(why, NotReady::NoAnswer { .. }) && session.phase >= Phase::Load;
        if never_returns && let Err(why) = session.wake_by_nmi(&why.to_string()) {
            driven.failure = Some(no_crash_failure(&why));
            return;
        }
        if !matches!(why, NotReady::Crashed) && !never_returns {
            driven.failure = Some(not_ready_failure(&why));
            return;
        }
        let loading = session.phase >= Phase::Load;
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
        let Attempt { plan, disks, folder, .. } = *self.attempt;
        let targets = Targets { disks, ram: self.ram, folder };
        let result = capture::capture(session, plan, armed, targets);
        session.end();
        driven.crash = session.crash.clone();
        // What looked like its end was not: the kernel hung, until the NMI made it panic.
        let woken = matches!(
            &result.captured,
            Ok(Captured { method: CaptureMethod::NmiKdump | CaptureMethod::NmiFast, .. })
        );
        if let Some(crash) = &mut driven.crash
            && matches!(crash.sign, CrashSign::Console | CrashSign::AgentClosed)
            && woken
            && !session.gave_up
        {
            crash.sign = CrashSign::Hang;
        }
        driven.capture_reason = result.reason;
        match result.captured {
            Ok(captured) if result.image.is_some() => {
                driven.capture = Some(captured.method);
                driven.image = result.image;
                session.recorder.finish(format!("memory by {}", captured.method));
            }
            Ok(captured) => self.keep(&captured, session, driven),
            Err(failure) => {
                driven.failure = Some(failure);
                if let Some(bytes) = result.cut {
                    let path = folder.join("vmcore-incomplete");
                    // It is a help for people, not a result: without it the failure is the same.
                    let _ = capture::keep_file(&disks.vmcore, bytes, &path);
                }
            }
        }
    }

    fn keep(&self, captured: &Captured, session: &mut Session<'_, '_>, driven: &mut Driven) {
        let Attempt { disks, folder, .. } = *self.attempt;
        match capture::keep(captured, disks, folder) {
            Ok(()) => {
                driven.capture = Some(captured.method);
                let size = units::bytes(captured.bytes);
                session.recorder.finish(format!("vmcore by {}: {size}", captured.method));
            }
            Err(error) => driven.failure = Some(unwritable(folder, &error)),
        }
    }
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
        NoCrash::Survived { .. }
        | NoCrash::Complained
        | NoCrash::Unheard { .. }
        | NoCrash::StillRuns { .. }
        | NoCrash::Halted { .. } => Failure::from_error(Exit::CaseFailed, why),
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What came of runs under KVM, for a person to read and to send to others.

use std::fmt;

use crate::exit::Exit;
use crate::host::{Device, Extension, KvmHost};
use crate::run::outcome::{Outcome, RunResult};
use crate::run::plan::{BootWay, CaptureWay, Ways};
use crate::units;
use guest::shown;

/// Lines of QEMU's stderr that are shown.
const MOST_LINES: usize = 20;

/// A way in which a run is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Booted, captured by kdump.
    Kdump,
    /// Booted, captured fast.
    Fast,
    /// Started from a snapshot that is made now, or was there.
    Snapshot,
    /// The same once more: from the snapshot that is there now for sure.
    SnapshotAgain,
}

impl Way {
    /// Each, in order.
    pub(super) const ALL: [Self; 4] =
        [Self::Kdump, Self::Fast, Self::Snapshot, Self::SnapshotAgain];

    /// Its name, which is its run's too.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Kdump => "kdump",
            Self::Fast => "fast",
            Self::Snapshot => "snapshot",
            Self::SnapshotAgain => "snapshot-again",
        }
    }

    /// How its run is made.
    pub(super) fn ways(self) -> Ways {
        let (capture, boot) = match self {
            Self::Kdump => (CaptureWay::Kdump, BootWay::Cold),
            Self::Fast => (CaptureWay::Fast, BootWay::Cold),
            Self::Snapshot | Self::SnapshotAgain => (CaptureWay::Fast, BootWay::Snapshot),
        };
        Ways { capture, boot, variant: 0 }
    }
}

/// What came of one.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) way: Way,
    /// Nothing, where there was no point in it.
    pub(super) result: Option<Box<RunResult>>,
}

impl Tried {
    /// The code that it ends with. What came about in another way than it should has failed.
    pub(super) fn exit(&self) -> Option<Exit> {
        let result = self.result.as_ref()?;
        let exit = result.exit();
        Some(if exit == Exit::Ok && !self.as_wanted(result) { Exit::CaptureFailed } else { exit })
    }

    fn as_wanted(&self, result: &RunResult) -> bool {
        let ways = self.way.ways();
        result.capture_reason.is_none() && result.boot == Some(ways.boot)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.way.name();
        let Some(result) = &self.result else { return line(f, name, "not tried") };
        line(f, name, &words(result))?;
        let more = |f: &mut fmt::Formatter<'_>, text: &str| line(f, "", &shown::field(text));
        if let Some(failure) = &result.failure {
            more(f, &failure.message)?;
            failure.causes.iter().try_for_each(|cause| more(f, &format!("caused by: {cause}")))?;
        }
        if let Some(crash) = &result.crash {
            let message = crash.message.as_deref().unwrap_or("without a word on the console");
            more(f, &format!("crash: {message}"))?;
        }
        if let Some(report) = &result.report {
            more(f, &format!("verdict: {}", report.verdict.summary))?;
        }
        for difference in &result.differences {
            let (key, expected, got) = (&difference.key, &difference.expected, &difference.got);
            more(f, &format!("{key}: {got} instead of {expected}"))?;
        }
        if let Some(why) = &result.boot_reason {
            more(f, &format!("not from a snapshot: {why}"))?;
        }
        if let Some(why) = &result.capture_reason {
            more(f, &format!("not captured in this way: {why}"))?;
        }
        let phases =
            result.phases.iter().map(|(phase, millis)| format!("{phase} {}", time(*millis)));
        more(f, &phases.collect::<Vec<_>>().join(", "))?;
        let stderr = result.qemu_stderr.as_deref().unwrap_or_default();
        let lines: Vec<&str> = stderr.lines().collect();
        let last = lines.iter().skip(lines.len().saturating_sub(MOST_LINES));
        last.into_iter().try_for_each(|text| more(f, &format!("QEMU: {text}")))
    }
}

/// How a run is judged, how the guest got up and how the dump was taken.
fn words(result: &RunResult) -> String {
    let mut words = vec![result.outcome.to_string()];
    words.extend(result.accel.map(|accel| format!("under {accel}")));
    words.extend(result.boot.map(|boot| boot.to_string()));
    words.extend(result.capture.map(|capture| format!("captured by {capture}")));
    words.join(", ")
}

/// What came of all.
#[derive(Debug)]
pub(super) struct KvmReport {
    pub(super) host: KvmHost,
    pub(super) qemu: Option<String>,
    /// Why KVM is not used where the choice is open, from an earlier run.
    pub(super) earlier: Option<String>,
    pub(super) tried: Vec<Tried>,
}

impl KvmReport {
    fn works(&self) -> bool {
        self.tried.iter().all(|tried| {
            let right = |result: &RunResult| {
                result.outcome == Outcome::Reproduced && tried.as_wanted(result)
            };
            tried.result.as_ref().is_some_and(|result| right(result))
        })
    }
}

impl fmt::Display for KvmReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        line(f, "repro", env!("CARGO_PKG_VERSION"))?;
        line(f, "host kernel", &host.kernel)?;
        let extension = match host.extension {
            Some(Extension::Vmx) => "with vmx",
            Some(Extension::Svm) => "with svm",
            None => "without vmx or svm",
        };
        line(f, "CPU", &format!("{}, {extension}", host.cpu))?;
        let nested = if host.virtual_machine { "yes: KVM would be nested" } else { "no" };
        line(f, "virtual machine", nested)?;
        let module = match &host.module {
            Some((name, nested)) => format!("{name}, nested={nested}"),
            None => "neither kvm_intel nor kvm_amd".to_owned(),
        };
        line(f, "module", &module)?;
        let device = match &host.device {
            Device::Opens => "opens".to_owned(),
            Device::Refuses(why) => format!("does not open: {why}"),
        };
        line(f, "/dev/kvm", &device)?;
        line(f, "QEMU", self.qemu.as_deref().unwrap_or("unknown"))?;
        if let Some(why) = &self.earlier {
            line(f, "earlier", &shown::field(why))?;
        }
        f.write_str("\n")?;
        self.tried.iter().try_for_each(|tried| tried.write(f))?;
        let verdict = if self.works() { "works in all ways" } else { "does NOT work in all ways" };
        write!(
            f,
            "\nKVM {verdict} on this machine. Nobody of this project has seen it run yet:\n"
        )?;
        f.write_str("please send this output to it, whatever it says.\n")
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    writeln!(f, "{}", format!("{name:<16} {text}").trim_end())
}

fn time(millis: u64) -> String {
    units::duration(std::time::Duration::from_millis(millis))
}

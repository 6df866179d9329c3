// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which accelerator to use, and what is known about this host's.
//!
//! A `/dev/kvm` that opens proves nothing: in some nested clouds it creates machines and CPUs and
//! then hangs every guest after the decompressor's first line. Only a guest whose kernel printed
//! something proves KVM. Where that failed once, it is remembered until the host boots again or
//! changes its CPU or kernel.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::events::Accel;

/// What the user wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum AccelChoice {
    /// KVM if a guest really runs under it, else TCG.
    #[default]
    Auto,
    /// Hardware virtualisation or nothing.
    Kvm,
    /// QEMU's emulation.
    Tcg,
}

/// The accelerators to try, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates {
    /// Never empty.
    pub order: Vec<Accel>,
    /// Why KVM is not among them although the user leaves the choice.
    pub reason: Option<String>,
}

impl Candidates {
    /// The one that is tried first.
    #[must_use]
    pub fn first(&self) -> Accel {
        self.order.first().copied().unwrap_or(Accel::Tcg)
    }
}

/// What is known about KVM on this host, in one small file of the cache.
#[derive(Debug, Clone)]
pub struct Memory {
    file: PathBuf,
    host: Host,
}

/// A host, as far as the answer depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Host {
    boot_id: String,
    cpu: String,
    kernel: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    host: Host,
    broken: String,
}

impl Memory {
    /// The memory in a cache folder.
    #[must_use]
    pub fn open(cache: &Path) -> Self {
        let host = Host::this();
        // A cache may be shared by several hosts.
        let key = format!("{}\n{}\n{}", host.boot_id, host.cpu, host.kernel);
        let digest = Sha256::digest(key.as_bytes());
        let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { file: cache.join("hosts").join(format!("kvm-{name}.json")), host }
    }

    /// Why KVM does not work on this host, if that is known.
    #[must_use]
    pub fn broken(&self) -> Option<String> {
        let record: Record = serde_json::from_slice(&fs::read(&self.file).ok()?).ok()?;
        (record.host == self.host).then_some(record.broken)
    }

    /// Remembers why KVM does not work on this host.
    ///
    /// # Errors
    /// The cache cannot be written.
    pub fn remember(&self, why: &str) -> io::Result<()> {
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let record = Record { host: self.host.clone(), broken: why.to_owned() };
        let file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&file, &record)?;
        file.persist(&self.file).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Host {
    fn this() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
        let cpuinfo = read("/proc/cpuinfo");
        let cpu = cpuinfo.lines().find(|line| line.starts_with("model name")).unwrap_or_default();
        Self {
            boot_id: read("/proc/sys/kernel/random/boot_id"),
            cpu: cpu.to_owned(),
            kernel: read("/proc/sys/kernel/osrelease"),
        }
    }
}

/// The accelerators to try for a choice.
#[must_use]
pub fn candidates(choice: AccelChoice, memory: &Memory) -> Candidates {
    match choice {
        AccelChoice::Kvm => Candidates { order: vec![Accel::Kvm], reason: None },
        AccelChoice::Tcg => Candidates { order: vec![Accel::Tcg], reason: None },
        AccelChoice::Auto => {
            let broken = match OpenOptions::new().read(true).write(true).open("/dev/kvm") {
                Ok(_) => memory.broken(),
                Err(error) => Some(format!("cannot open /dev/kvm: {error}")),
            };
            match broken {
                None => Candidates { order: vec![Accel::Kvm, Accel::Tcg], reason: None },
                reason => Candidates { order: vec![Accel::Tcg], reason },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_this_host_is_found_again_and_of_another_host_is_not() {
        let cache = tempfile::tempdir().unwrap();
        let memory = Memory::open(cache.path());
        assert_eq!(memory.broken(), None);
        memory.remember("the guest hung").unwrap();
        assert_eq!(Memory::open(cache.path()).broken().as_deref(), Some("the guest hung"));

        let mut other = memory;
        other.host.boot_id.push('x');
        assert_eq!(other.broken(), None, "the host was booted again");
    }

    #[test]
    fn a_damaged_memory_is_no_memory() {
        let cache = tempfile::tempdir().unwrap();
        let memory = Memory::open(cache.path());
        memory.remember("x").unwrap();
        fs::write(&memory.file, b"{").unwrap();
        assert_eq!(memory.broken(), None);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! What this machine says of hardware virtualisation, before anything is run by it.

use std::fs::{self, OpenOptions};
use std::path::Path;

/// The device.
const DEVICE: &str = "/dev/kvm";
/// The kernel's modules for it, by maker of the processor.
const MODULES: [&str; 2] = ["kvm_intel", "kvm_amd"];

/// A machine, as far as KVM depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvmHost {
    /// The processor's name.
    pub cpu: String,
    /// The kernel's release.
    pub kernel: String,
    /// The processor's own extension, where it shows one.
    pub extension: Option<Extension>,
    /// Whether this machine is a virtual one itself.
    pub virtual_machine: bool,
    /// The kernel's module for it, and whether it lets guests have guests.
    pub module: Option<(String, String)>,
    /// The device.
    pub device: Device,
}

/// An extension of processors for virtualisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// Intel's.
    Vmx,
    /// AMD's.
    Svm,
}

/// What comes of opening `/dev/kvm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Device {
    /// It opens, which proves nothing yet.
    Opens,
    /// It does not, for this reason.
    Refuses(String),
}

impl KvmHost {
    /// This machine.
    #[must_use]
    pub fn this() -> Self {
        let device = match OpenOptions::new().read(true).write(true).open(DEVICE) {
            Ok(_) => Device::Opens,
            Err(error) => Device::Refuses(error.to_string()),
        };
        let nested = |name: &str| {
            let parameter = format!("/sys/module/{name}/parameters/nested");
            Path::new("/sys/module")
                .join(name)
                .is_dir()
                .then(|| (name.to_owned(), read(&parameter)))
        };
        let module = MODULES.into_iter().find_map(nested);
        let kernel = read("/proc/sys/kernel/osrelease");
        let (cpu, extension, virtual_machine) = processor(&read("/proc/cpuinfo"));
        Self { cpu, kernel, extension, virtual_machine, module, device }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default().trim().to_owned()
}

/// Name, extension and whether a hypervisor is below, of the first processor in `/proc/cpuinfo`.
fn processor(cpuinfo: &str) -> (String, Option<Extension>, bool) {
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim())
    };
    let flags: Vec<&str> = field("flags").unwrap_or_default().split(' ').collect();
    let extension = [("vmx", Extension::Vmx), ("svm", Extension::Svm)]
        .into_iter()
        .find_map(|(flag, extension)| flags.contains(&flag).then_some(extension));
    let name = field("model name").unwrap_or("unknown").to_owned();
    (name, extension, flags.contains(&"hypervisor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_processor_tells_its_extension_and_whether_it_is_virtual() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu svm hypervisor\n";
        assert_eq!(processor(text), ("AMD EPYC".to_owned(), Some(Extension::Svm), true));
        let text = "model name\t: Intel\nflags\t\t: fpu vmx_x\n";
        assert_eq!(processor(text), ("Intel".to_owned(), None, false));
        assert_eq!(processor(""), ("unknown".to_owned(), None, false));
    }
}

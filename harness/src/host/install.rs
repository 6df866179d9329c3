// SPDX-License-Identifier: MIT OR Apache-2.0
//! Installing of what the host lacks, or the line that does it.

use super::apt::HostApt;
pub use super::consent::{Consent, InstallError};
use super::packages::Manager;
use super::{Missing, missing};

/// The line that installs what is missing; none when nothing is known that would.
#[must_use]
pub fn install_line(missing: &[Missing]) -> Option<String> {
    line(Manager::of_host()?, missing)
}

fn line(manager: Manager, missing: &[Missing]) -> Option<String> {
    let packages = packages(missing);
    (!packages.is_empty()).then(|| format!("sudo {} {}", manager.command(), packages.join(" ")))
}

/// Names of the packages, each once.
fn packages(missing: &[Missing]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in missing.iter().filter_map(|missing| missing.package.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Installs what is missing; `say` is told each step.
///
/// No package of the user's is removed or held back for it: where that cannot be avoided, it is an
/// error that shows apt's reason. The newest QEMU is taken that the host's suites or their
/// backports have; the host's list of sources stays as it is.
///
/// # Errors
/// The host is not one with apt, a package is not known, apt fails.
pub fn install(
    wanted: &[Missing],
    consent: Consent,
    say: &mut dyn FnMut(&str),
) -> Result<(), InstallError> {
    if let Some(unknown) = wanted.iter().find(|missing| missing.package.is_none()) {
        let (what, why) = (unknown.what.clone(), unknown.why.clone());
        return Err(InstallError::NoPackage { what, why });
    }
    if Manager::of_host() != Some(Manager::Apt) {
        let line = install_line(wanted).unwrap_or_default();
        return Err(InstallError::NotApt { line });
    }
    let names = packages(wanted);
    let (qemu, others): (Vec<&str>, Vec<&str>) =
        names.into_iter().partition(|name| name.starts_with("qemu-") || *name == "seabios");
    say("asking the archive for its lists");
    let apt = HostApt::open(consent)?;
    // QEMU first: it is the one that may have to give way to what is installed.
    if !qemu.is_empty() {
        apt.install_newest(&qemu, say)?;
    }
    if !others.is_empty() {
        apt.install(&others, say)?;
    }
    let left = missing();
    let still = wanted.iter().find(|one| left.iter().any(|other| other.what == one.what));
    still.map_or(Ok(()), |one| {
        let package = one.package.clone().unwrap_or_default();
        Err(InstallError::StillMissing { what: one.what.clone(), package })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(what: &str, package: Option<&str>) -> Missing {
        Missing { what: what.into(), why: "w".into(), package: package.map(str::to_owned) }
    }

    #[test]
    fn one_line_has_every_package_once() {
        let all = [missing("a", Some("p")), missing("b", Some("q")), missing("c", Some("p"))];
        assert_eq!(line(Manager::Dnf, &all).unwrap(), "sudo dnf install p q");
        assert_eq!(line(Manager::Apt, &[missing("a", None)]), None);
    }

    #[test]
    fn what_no_package_has_is_an_error_before_anything_is_done() {
        let mut said = Vec::new();
        let wanted = [missing("a", Some("p")), missing("b", None)];
        let error =
            install(&wanted, Consent::Root, &mut |text| said.push(text.to_owned())).unwrap_err();
        assert!(matches!(error, InstallError::NoPackage { .. }), "{error}");
        assert!(said.is_empty());
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of the repositories' kernels is taken: the one that was asked for, else the newest one
//! that is there with all its packages.

use super::super::FetchError;
use super::record::Record;
use super::source::RpmKernel;

/// Releases in an error.
const MAX_NAMED: usize = 12;

/// A kernel with all its packages, and newer ones that were passed over.
#[derive(Debug)]
pub(super) struct Chosen<'r> {
    /// As `uname -r` prints it.
    pub(super) release: String,
    /// Kernel and modules.
    pub(super) image: Vec<&'r Record>,
    pub(super) devel: &'r Record,
    pub(super) debug: &'r Record,
    pub(super) notes: Vec<String>,
}

/// Chooses among the records of all repositories, which `place` names for people.
pub(super) fn choose<'r>(
    guest: &str,
    records: &[&'r Record],
    kernel: &RpmKernel,
    place: &str,
) -> Result<Chosen<'r>, FetchError> {
    let no_kernel = |why: String| FetchError::NoKernel { guest: guest.to_owned(), why };
    let first = kernel.image.first().map(String::as_str).unwrap_or_default();
    let mut candidates: Vec<&Record> =
        records.iter().copied().filter(|record| record.name() == first).collect();
    candidates.sort_by(|a, b| b.evr().compare(a.evr()));
    if candidates.is_empty() {
        return Err(no_kernel(format!("there is no package {first} in {place}")));
    }
    let wanted = |record: &&&Record| match &kernel.release {
        Some(release) => is_release(record, release),
        None => true,
    };
    let mut lacking: Vec<String> = Vec::new();
    for candidate in candidates.iter().filter(wanted) {
        match parts(candidate, records, kernel) {
            Ok(mut chosen) => {
                chosen.notes.extend(lacking);
                return Ok(chosen);
            }
            Err(missing) => {
                let release = candidate.identity.kernel_release();
                lacking.push(format!("kernel {release} is passed over: no {missing} in {place}"));
            }
        }
    }
    let why = match (&kernel.release, lacking.is_empty()) {
        (Some(release), true) => {
            let mut known: Vec<String> =
                candidates.iter().map(|record| record.identity.kernel_release()).collect();
            known.dedup();
            let more = if known.len() > MAX_NAMED { ", …" } else { "" };
            known.truncate(MAX_NAMED);
            format!("{place} has no kernel {release}; it has {}{more}", known.join(", "))
        }
        _ => lacking.join("; "),
    };
    Err(no_kernel(why))
}

/// The package with the debug information of the kernel that is asked for, and that kernel's release.
/// Its other packages may be gone.
pub(super) fn choose_debug<'r>(
    guest: &str,
    records: &[&'r Record],
    kernel: &RpmKernel,
    place: &str,
) -> Result<(String, &'r Record), FetchError> {
    let release = kernel.release.as_deref().unwrap_or_default();
    let named = records.iter().copied().filter(|record| record.name() == kernel.debug);
    let mut fitting = named.filter(|record| is_release(record, release));
    match fitting.next() {
        Some(record) => Ok((record.identity.kernel_release(), record)),
        None => {
            let why = format!("there is no {} of kernel {release} in {place}", kernel.debug);
            Err(FetchError::NoKernel { guest: guest.to_owned(), why })
        }
    }
}

/// Whether the user means this one; the machine may be left out.
fn is_release(record: &Record, release: &str) -> bool {
    let identity = &record.identity;
    identity.kernel_release() == release || identity.short_release() == release
}

/// All packages of a kernel, or the name of the first one that is missing.
fn parts<'r>(
    first: &'r Record,
    records: &[&'r Record],
    kernel: &RpmKernel,
) -> Result<Chosen<'r>, String> {
    let find = |name: &str| {
        let same =
            |record: &&&Record| record.name() == name && record.identity.is_beside(&first.identity);
        let missing = || format!("{name}-{}", first.identity.short_release());
        records.iter().find(same).copied().ok_or_else(missing)
    };
    Ok(Chosen {
        release: first.identity.kernel_release(),
        image: kernel.image.iter().map(|name| find(name)).collect::<Result<_, _>>()?,
        devel: find(&kernel.devel)?,
        debug: find(&kernel.debug)?,
        notes: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::checksum::{Checksum, Kind};
    use super::super::identity::Identity;
    use super::super::location::Location;
    use super::super::version::Evr;
    use super::*;

    fn record(name: &str, release: &str) -> Record {
        Record {
            identity: Identity::new(name, &Evr::parse(release), "x86_64").unwrap(),
            checksum: Checksum { kind: Kind::Sha256, value: String::new() },
            size: 1,
            location: Location::new("k.rpm").unwrap(),
            provides: vec![],
            requires: vec![],
            files: vec![],
            repository: 0,
        }
    }

    fn kernel(release: Option<&str>) -> RpmKernel {
        RpmKernel {
            release: release.map(str::to_owned),
            image: vec!["kernel".into()],
            devel: "kernel-devel".into(),
            debug: "kernel-debuginfo".into(),
        }
    }

    /// Three kernels of which the newest has no debug information yet.
    fn records() -> Vec<Record> {
        let releases = ["3.10.0-1160.9.1.el7", "3.10.0-1160.49.1.el7", "3.10.0-1160.119.1.el7"];
        let mut all = Vec::new();
        for (number, release) in releases.iter().enumerate() {
            all.push(record("kernel", release));
            all.push(record("kernel-devel", release));
            if number < 2 {
                all.push(record("kernel-debuginfo", release));
            }
        }
        all
    }

    fn chosen(release: Option<&str>) -> Result<(String, Vec<String>), String> {
        let records = records();
        let records: Vec<&Record> = records.iter().collect();
        choose("g", &records, &kernel(release), "updates")
            .map(|it| (it.release, it.notes))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_newest_complete_kernel_is_taken_and_the_one_passed_over_is_told() {
        let (release, notes) = chosen(None).unwrap();
        assert_eq!(release, "3.10.0-1160.49.1.el7.x86_64");
        assert_eq!(notes.len(), 1);
        assert!(notes[0].contains("1160.119.1") && notes[0].contains("kernel-debuginfo"));
    }

    #[test]
    fn a_kernel_is_found_by_name_with_and_without_the_machine() {
        for release in ["3.10.0-1160.9.1.el7", "3.10.0-1160.9.1.el7.x86_64"] {
            assert_eq!(chosen(Some(release)).unwrap().0, "3.10.0-1160.9.1.el7.x86_64");
        }
    }

    #[test]
    fn a_kernel_that_is_not_there_or_not_complete_is_an_error_that_says_so() {
        let message = chosen(Some("3.10.0-862.el7")).unwrap_err();
        assert!(message.contains("no kernel 3.10.0-862.el7"), "{message}");
        assert!(message.contains("3.10.0-1160.49.1.el7.x86_64"), "{message}");
        let message = chosen(Some("3.10.0-1160.119.1.el7")).unwrap_err();
        assert!(message.contains("no kernel-debuginfo-3.10.0-1160.119.1.el7"), "{message}");
    }
}

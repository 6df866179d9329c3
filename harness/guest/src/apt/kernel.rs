// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of a suite's kernels is taken: the newest one that is there with all its parts.
//!
//! Debian names the packages of a kernel after its ABI and flavour:
//! `linux-image-<abi>-<flavour>` (signed) or `…-unsigned`, `…-dbg`, `linux-headers-<abi>-<flavour>`
//! and, named by the latter's dependencies, `linux-headers-<abi>-common` and
//! `linux-kbuild-<version>`. Old ABIs lose their image but not their debug symbols or the other way
//! round, and a security suite's parts come in one after the other.

use std::cmp::Ordering;

use super::super::apt_source::KernelPackages;
use super::super::{FetchError, Manifest};
use super::{Apt, Record};

/// More candidates than this are not looked at.
const MAX_CANDIDATES: usize = 20;

/// The packages of one kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KernelChoice {
    /// `uname -r` of it.
    pub(crate) release: String,
    pub(crate) image: Record,
    pub(crate) debug: Record,
    /// Headers of the flavour, headers common to all, kbuild.
    pub(crate) headers: Vec<Record>,
}

impl KernelChoice {
    /// Whether a failed download was one of this kernel's packages that the site no longer has,
    /// though its index still names it (bullseye-security: `linux-image-6.1.0-0.deb11.52-…-dbg`).
    pub(crate) fn is_gone(&self, error: &FetchError) -> bool {
        let FetchError::Apt { output, .. } = error else { return false };
        let names_it = |line: &str| line.contains("404") && line.contains(&self.release);
        output.lines().any(names_it)
    }

    /// Chooses among what the suites have, but for the releases in `gone`.
    pub(crate) fn of(
        apt: &Apt<'_>,
        guest: &Manifest,
        kernel: &KernelPackages,
        gone: &[String],
    ) -> Result<Self, FetchError> {
        let names = apt.names("linux-image-")?;
        let mut incomplete = Vec::new();
        for abi in candidates(&names, kernel) {
            let release = format!("{abi}-{}", kernel.flavour);
            if gone.contains(&release) {
                incomplete.push(format!("{release} is listed, but the site does not have it"));
                continue;
            }
            let wanted = part_names(&release);
            let mut records = apt.records(&wanted)?;
            let depended = headers_dependencies(&records);
            records.extend(apt.records(&depended)?);
            match assemble(&release, &records) {
                Ok(choice) => return Ok(choice),
                Err(missing) => incomplete.push(format!("{release} lacks {missing}")),
            }
        }
        let series = kernel.series.as_deref().map(|s| format!("{s}* ")).unwrap_or_default();
        let why = if let (Some(release), true) = (&kernel.release, incomplete.is_empty()) {
            format!("its suites have no kernel {series}{release}")
        } else if incomplete.is_empty() {
            format!("its suites have no kernel {series}of flavour {}", kernel.flavour)
        } else {
            incomplete.join("; ")
        };
        Err(FetchError::NoKernel { guest: guest.name.clone(), why })
    }
}

/// ABIs of the flavour's kernels, newest first.
fn candidates(names: &[String], kernel: &KernelPackages) -> Vec<String> {
    let flavour = format!("-{}", kernel.flavour);
    let in_series = |abi: &str| {
        kernel.series.as_deref().is_none_or(|series| {
            let rest = abi.strip_prefix(series);
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    };
    let asked_for = |abi: &str| {
        let release = kernel.release.as_deref();
        release.is_none_or(|release| release.strip_suffix(&flavour) == Some(abi))
    };
    let mut abis: Vec<String> = names
        .iter()
        .filter_map(|name| name.strip_prefix("linux-image-")?.strip_suffix("-dbg"))
        .filter_map(|release| release.strip_suffix(&flavour))
        .filter(|abi| is_abi(abi) && in_series(abi) && asked_for(abi))
        .map(str::to_owned)
        .collect();
    abis.sort_by(|a, b| natural(b, a));
    abis.dedup();
    abis.truncate(MAX_CANDIDATES);
    abis
}

/// `6.1.0-56`, `6.12.48+deb13`; not `6.1` of a meta-package nor `6.1.0-56-cloud`.
fn is_abi(text: &str) -> bool {
    let (version, abi) = text.split_once('-').unwrap_or((text, "0"));
    let numbers = version.split(['+', '~']).next().unwrap_or(version);
    let dots = numbers.split('.').count();
    dots >= 3
        && numbers
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        && abi
            .split('.')
            .next()
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        && !abi.contains('-')
}

/// Compares runs of digits as numbers and everything else as text.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (digits_a, digits_b) = (digits(a), digits(b));
        if !digits_a.is_empty() && !digits_b.is_empty() {
            let significant = |digits: &'_ str| digits.trim_start_matches('0').len();
            let by_number = significant(digits_a).cmp(&significant(digits_b)).then_with(|| {
                digits_a.trim_start_matches('0').cmp(digits_b.trim_start_matches('0'))
            });
            if by_number != Ordering::Equal {
                return by_number;
            }
            (a, b) = (&a[digits_a.len()..], &b[digits_b.len()..]);
            continue;
        }
        match (a.chars().next(), b.chars().next()) {
            (None, None) => return Ordering::Equal,
            (Some(x), Some(y)) if x == y => {
                (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
            }
            (x, y) => return x.cmp(&y),
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}

fn part_names(release: &str) -> Vec<String> {
    vec![
        format!("linux-image-{release}"),
        format!("linux-image-{release}-unsigned"),
        format!("linux-image-{release}-dbg"),
        format!("linux-headers-{release}"),
    ]
}

/// Names of the packages that the headers need beside a compiler.
fn headers_dependencies(records: &[Record]) -> Vec<String> {
    let Some(headers) = records.iter().find(|r| r.package.starts_with("linux-headers-")) else {
        return Vec::new();
    };
    let names = headers.depends.iter().map(|dependency| &dependency.package);
    names
        .filter(|name| name.starts_with("linux-headers-") || name.starts_with("linux-kbuild-"))
        .cloned()
        .collect()
}

/// Puts the parts together; the error names the first one that is missing.
fn assemble(release: &str, records: &[Record]) -> Result<KernelChoice, String> {
    let find = |name: &str, version: Option<&str>| {
        let fits = |record: &&Record| {
            record.package == name && version.is_none_or(|version| record.version == version)
        };
        records.iter().find(fits).cloned()
    };
    let wanted = |name: String, version: Option<&str>| {
        find(&name, version).ok_or_else(|| match version {
            Some(version) => format!("{name} of version {version}"),
            None => name,
        })
    };
    let debug = wanted(format!("linux-image-{release}-dbg"), None)?;
    let version = Some(&*debug.version);
    let image = find(&format!("linux-image-{release}"), version)
        .map_or_else(|| wanted(format!("linux-image-{release}-unsigned"), version), Ok)?;
    let own = wanted(format!("linux-headers-{release}"), version)?;
    let mut headers = vec![own];
    for name in headers_dependencies(records) {
        // kbuild may be newer than the headers ask for, but the one of the same build is best.
        let part = find(&name, version).map_or_else(|| wanted(name.clone(), None), Ok)?;
        headers.push(part);
    }
    Ok(KernelChoice { release: release.to_owned(), image, debug, headers })
}

#[cfg(test)]
mod tests {

    use super::super::index::Dependency;
    use super::*;

    fn kernel(flavour: &str, series: Option<&str>) -> KernelPackages {
        KernelPackages {
            flavour: flavour.into(),
            flavours: Vec::new(),
            series: series.map(str::to_owned),
            release: None,
        }
    }

    fn names() -> Vec<String> {
        [
            "linux-image-6.1.0-9-cloud-amd64-dbg",
            "linux-image-6.1.0-56-cloud-amd64-dbg",
            "linux-image-6.1.0-56-cloud-amd64",
            "linux-image-6.1.0-56-amd64-dbg",
            "linux-image-6.1.0-56-rt-amd64-dbg",
            "linux-image-6.12.9+deb12-cloud-amd64-dbg",
            "linux-image-6.12.101+deb12-cloud-amd64-dbg",
            "linux-image-6.12-cloud-amd64-dbg",
            "linux-image-cloud-amd64-dbg",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    #[test]
    fn abis_are_ordered_by_number_and_stay_in_their_series() {
        let found = candidates(&names(), &kernel("cloud-amd64", Some("6.1")));
        assert_eq!(found, ["6.1.0-56", "6.1.0-9"]);
        let found = candidates(&names(), &kernel("cloud-amd64", None));
        assert_eq!(found, ["6.12.101+deb12", "6.12.9+deb12", "6.1.0-56", "6.1.0-9"]);
    }

    #[test]
    fn a_kernel_that_is_asked_for_is_the_only_one() {
        let mut kernel = kernel("cloud-amd64", None);
        kernel.release = Some("6.1.0-9-cloud-amd64".into());
        assert_eq!(candidates(&names(), &kernel), ["6.1.0-9"]);
        kernel.release = Some("6.1.0-56-amd64".into());
        assert_eq!(candidates(&names(), &kernel), [""; 0]);
    }

    #[test]
    fn a_flavour_is_not_the_end_of_another() {
        assert_eq!(candidates(&names(), &kernel("amd64", None)), ["6.1.0-56"]);
    }

    #[test]
    fn only_a_missing_file_of_the_kernel_means_that_it_is_gone() {
        let choice = assemble("9.9.0-1-x", &parts()).unwrap();
        let gone = |output: &str| {
            choice.is_gone(&FetchError::Apt { what: "apt-get".into(), output: output.into() })
        };
        assert!(gone(
            "E: Failed to fetch http://a/linux-image-9.9.0-1-x-dbg_2.deb  404  Not Found"
        ));
        assert!(!gone("E: Failed to fetch http://a/busybox_2.deb  404  Not Found"));
        assert!(!gone("E: Failed to fetch http://a/linux-image-9.9.0-1-x_2.deb  Timeout"));
        assert!(!choice.is_gone(&FetchError::Cancelled));
    }

    fn record(package: &str, version: &str, depends: &[&str]) -> Record {
        let depends =
            depends.iter().map(|name| Dependency { package: (*name).to_owned(), exactly: None });
        Record {
            package: package.into(),
            version: version.into(),
            size: 1,
            sha256: "0".repeat(64),
            library: false,
            depends: depends.collect(),
        }
    }

    fn parts() -> Vec<Record> {
        let needs = ["linux-headers-9.9.0-1-common", "linux-kbuild-9.9", "gcc-12"];
        vec![
            record("linux-image-9.9.0-1-x", "2", &[]),
            record("linux-image-9.9.0-1-x", "1", &[]),
            record("linux-image-9.9.0-1-x-unsigned", "2", &[]),
            record("linux-image-9.9.0-1-x-dbg", "2", &[]),
            record("linux-headers-9.9.0-1-x", "2", &needs),
            record("linux-headers-9.9.0-1-common", "2", &[]),
            record("linux-kbuild-9.9", "3", &[]),
        ]
    }

    #[test]
    fn all_parts_are_of_one_version_but_kbuild() {
        let choice = assemble("9.9.0-1-x", &parts()).unwrap();
        assert_eq!(choice.image.pinned(), "linux-image-9.9.0-1-x=2");
        let headers: Vec<String> = choice.headers.iter().map(Record::pinned).collect();
        assert_eq!(
            headers,
            ["linux-headers-9.9.0-1-x=2", "linux-headers-9.9.0-1-common=2", "linux-kbuild-9.9=3"]
        );
    }

    #[test]
    fn an_unsigned_image_stands_in_for_a_signed_one() {
        let parts: Vec<Record> =
            parts().into_iter().filter(|r| r.pinned() != "linux-image-9.9.0-1-x=2").collect();
        let choice = assemble("9.9.0-1-x", &parts).unwrap();
        assert_eq!(choice.image.package, "linux-image-9.9.0-1-x-unsigned");
    }

    #[test]
    fn what_is_missing_is_named() {
        let without = |name: &str| {
            let parts: Vec<Record> = parts().into_iter().filter(|r| r.package != name).collect();
            assemble("9.9.0-1-x", &parts).unwrap_err()
        };
        assert_eq!(without("linux-image-9.9.0-1-x-dbg"), "linux-image-9.9.0-1-x-dbg");
        assert_eq!(without("linux-kbuild-9.9"), "linux-kbuild-9.9");
        assert_eq!(without("linux-headers-9.9.0-1-x"), "linux-headers-9.9.0-1-x of version 2");
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The host's own apt, used to install on the host.
//!
//! Its sources are the host's, and the backports of the host's suite beside them where these are
//! not configured. Lists are fetched into a folder of our own: the host may have none, and ones
//! with backports are not to stay behind.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::consent::{Consent, InstallError};
use guest::apt_sites::{self, Site};
use process::helper;

/// Most lines of apt's complaints in an error.
const LINES: usize = 15;

/// The host's apt with lists of our own.
#[derive(Debug)]
pub(super) struct HostApt {
    folder: TempDir,
    consent: Consent,
    /// The backports of the host's suite, where the archive has them.
    backports: Option<String>,
}

impl HostApt {
    /// Fetches the lists.
    pub(super) fn open(consent: Consent) -> Result<Self, InstallError> {
        let folder = tempfile::Builder::new().prefix("repro-apt").tempdir()?;
        for inside in ["lists/partial", "cache/archives/partial", "sources"] {
            fs::create_dir_all(folder.path().join(inside))?;
        }
        let mut apt = Self { folder, consent, backports: None };
        link_sources(&apt.folder.path().join("sources"))?;
        let sites = apt_sites::parse_uris(&apt.run(&["update", "--print-uris"])?);
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        apt.backports = backports_of(&release);
        let line = apt.backports.as_deref().and_then(|suite| backports_line(suite, &sites));
        let list = apt.folder.path().join("sources/repro-backports.list");
        if let Some(line) = &line {
            fs::write(&list, line)?;
        }
        // A source that does not answer is a matter for what is then not found.
        let updated = apt.run(&["-q", "-o", "APT::Update::Error-Mode=any", "update"]);
        if updated.is_err() && line.is_some() {
            fs::remove_file(&list)?;
        }
        if let Err(first) = updated {
            apt.run(&["-q", "update"]).map_err(|_| first)?;
        }
        Ok(apt)
    }

    /// Installs from the backports where they have the packages, else from the suite itself.
    pub(super) fn install_newest(
        &self,
        packages: &[&str],
        say: &mut dyn FnMut(&str),
    ) -> Result<(), InstallError> {
        if let Some(suite) = &self.backports {
            let mut words = vec!["-t", suite];
            words.extend(packages);
            if self.simulate(&words).is_ok() {
                return self.carry_out(&words, packages, say);
            }
        }
        self.install(packages, say)
    }

    /// Installs packages of the host's suite.
    pub(super) fn install(
        &self,
        packages: &[&str],
        say: &mut dyn FnMut(&str),
    ) -> Result<(), InstallError> {
        self.simulate(packages)
            .map_err(|output| InstallError::Refused { packages: packages.join(" "), output })?;
        self.carry_out(packages, packages, say)
    }

    /// Whether apt could do it without removing anything; the error is what it says.
    fn simulate(&self, words: &[&str]) -> Result<(), String> {
        let mut all = vec!["-s"];
        all.extend(INSTALL);
        all.extend(words);
        match self.run(&all) {
            Ok(_) => Ok(()),
            Err(InstallError::Apt { output, .. }) => Err(output),
            Err(other) => Err(other.to_string()),
        }
    }

    fn carry_out(
        &self,
        words: &[&str],
        packages: &[&str],
        say: &mut dyn FnMut(&str),
    ) -> Result<(), InstallError> {
        say(&format!("installing {}", packages.join(" ")));
        let mut all: Vec<String> = match self.consent {
            Consent::Root => Vec::new(),
            Consent::Sudo => vec!["sudo".into()],
        };
        // sudo does not pass an environment on.
        all.extend(
            ["env", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "apt-get"].map(Into::into),
        );
        all.extend(self.options());
        all.extend(INSTALL.iter().chain(words).map(|&word| word.to_owned()));
        // Not tied to this process: an installation cut off leaves a broken host behind.
        let output = duct::cmd(&all[0], &all[1..])
            .stdin_null()
            .stdout_capture()
            .stderr_capture()
            .unchecked()
            .run()?;
        check("apt-get install", &output)
    }

    fn run(&self, words: &[&str]) -> Result<String, InstallError> {
        let mut all = self.options();
        all.extend(words.iter().map(|&word| word.to_owned()));
        let expression = helper::tied("apt-get", all).stdout_capture().stderr_capture();
        let output = expression.unchecked().run()?;
        check("apt-get", &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn options(&self) -> Vec<String> {
        let path = |inside: &str| self.folder.path().join(inside).display().to_string();
        let pairs = [
            ("Dir::State::lists", path("lists")),
            ("Dir::Cache", path("cache")),
            ("Dir::Etc::sourceparts", path("sources")),
            // The folder is in /tmp and only for us.
            ("APT::Sandbox::User", "root".into()),
            ("Acquire::Languages", "none".into()),
            ("Acquire::Retries", "3".into()),
        ];
        pairs.iter().flat_map(|(key, value)| ["-o".into(), format!("{key}={value}")]).collect()
    }
}

/// How apt is asked to install: nothing that is there goes away, files of the user's stay, and
/// another run of dpkg is waited for.
const INSTALL: [&str; 11] = [
    "install",
    "-y",
    "-q",
    "--no-install-recommends",
    "--no-remove",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "DPkg::Lock::Timeout=300",
];

fn check(what: &str, output: &std::process::Output) -> Result<(), InstallError> {
    if output.status.success() {
        return Ok(());
    }
    // Why packages do not fit together is said on standard output.
    let text =
        [helper::tail(&output.stdout, LINES), helper::tail(&output.stderr, LINES)].join("\n");
    Err(InstallError::Apt { what: what.to_owned(), output: text.trim().to_owned() })
}

/// Makes the host's own lists of sources visible in a folder that may get one more.
fn link_sources(folder: &Path) -> io::Result<()> {
    let text = helper::tied("apt-config", ["shell", "PARTS", "Dir::Etc::sourceparts/d"]).read()?;
    let parts = text.split('\'').nth(1).map(PathBuf::from);
    let Some(parts) = parts.filter(|parts| parts.is_dir()) else { return Ok(()) };
    for entry in fs::read_dir(parts)? {
        let entry = entry?;
        symlink(entry.path(), folder.join(entry.file_name()))?;
    }
    Ok(())
}

/// Name of the backports of a released suite of Debian or Ubuntu, from os-release(5).
fn backports_of(release: &str) -> Option<String> {
    let value = release.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    let codename = value.trim().trim_matches('"');
    let plain = !codename.is_empty() && codename.chars().all(|c| c.is_ascii_alphanumeric());
    plain.then(|| format!("{codename}-backports"))
}

/// The source of the backports at the site of the suite; none when the host has it already.
fn backports_line(backports: &str, sites: &[Site]) -> Option<String> {
    if sites.iter().any(|site| site.suite == backports) {
        return None;
    }
    let suite = backports.strip_suffix("-backports")?;
    let site = sites.iter().find(|site| site.suite == suite)?;
    let key = apt_sites::keyring("debian-archive-keyring")
        .map(|path| format!("[signed-by={}] ", path.display()))
        .unwrap_or_default();
    Some(format!("deb {key}{} {backports} main\n", site.uri))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backports_of_a_released_suite_are_known() {
        let release = "ID=debian\nVERSION_CODENAME=bookworm\n";
        assert_eq!(backports_of(release).as_deref(), Some("bookworm-backports"));
        assert_eq!(
            backports_of("VERSION_CODENAME=\"noble\"\n").as_deref(),
            Some("noble-backports")
        );
        assert_eq!(backports_of("ID=debian\n"), None);
        assert_eq!(backports_of("VERSION_CODENAME=a b\n"), None);
    }

    #[test]
    fn backports_come_from_the_site_of_the_suite_unless_configured() {
        let site = |suite: &str| Site { uri: "http://a.example/d".into(), suite: suite.into() };
        let line = backports_line("bookworm-backports", &[site("bookworm")]).unwrap();
        assert!(line.ends_with("http://a.example/d bookworm-backports main\n"), "{line}");
        let both = [site("bookworm"), site("bookworm-backports")];
        assert_eq!(backports_line("bookworm-backports", &both), None);
        assert_eq!(backports_line("bookworm-backports", &[site("trixie")]), None);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A key made for a test, and signing with it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::peers::setup;

/// A key of GnuPG's in a folder of its own.
#[derive(Debug)]
pub struct Signer {
    home: PathBuf,
    user: String,
    /// The public key, armoured.
    pub public: PathBuf,
}

impl Signer {
    /// Makes a key. `algorithm` is GnuPG's word (`rsa2048`, `ed25519`).
    ///
    /// # Errors
    /// GnuPG is missing or fails.
    pub fn make(folder: &Path, user: &str, algorithm: &str) -> Result<Self> {
        let gpg = setup::program("gpg", "gnupg")?;
        let home = folder.join(user);
        std::fs::create_dir_all(&home)?;
        duct::cmd!("chmod", "700", &home).run()?;
        let signer =
            Self { public: folder.join(format!("{user}.key")), home, user: user.to_owned() };
        let words = ["--passphrase", "", "--quick-gen-key", user, algorithm, "sign", "0"];
        signer.gpg(&gpg, &words)?;
        let public = signer.public.display().to_string();
        signer.gpg(&gpg, &["--armor", "--output", &public, "--export", user])?;
        Ok(signer)
    }

    fn gpg(&self, gpg: &Path, words: &[&str]) -> Result<()> {
        let common = ["--batch", "--quiet", "--yes", "--pinentry-mode", "loopback"];
        duct::cmd(gpg, common.iter().chain(words))
            .env("GNUPGHOME", &self.home)
            .stderr_capture()
            .run()
            .context("run gpg")?;
        Ok(())
    }

    /// Signs packages with RPM's own program.
    ///
    /// # Errors
    /// It is missing or fails.
    pub fn sign(&self, packages: &[PathBuf]) -> Result<()> {
        let rpmsign = setup::program("rpmsign", "rpm")?;
        let gpg = format!("__gpg {}", setup::program("gpg", "gnupg")?.display());
        let user = format!("_gpg_name {}", self.user);
        let mut words: Vec<std::ffi::OsString> =
            ["--define", &user, "--define", &gpg, "--addsign"].map(Into::into).into();
        words.extend(packages.iter().map(Into::into));
        duct::cmd(rpmsign, words)
            .env("GNUPGHOME", &self.home)
            .stdout_null()
            .stderr_capture()
            .run()
            .context("run rpmsign")?;
        Ok(())
    }

    /// Writes `<file>.asc` beside a file.
    ///
    /// # Errors
    /// GnuPG fails.
    pub fn detach(&self, file: &Path) -> Result<()> {
        let gpg = setup::program("gpg", "gnupg")?;
        let file = file.display().to_string();
        self.gpg(&gpg, &["--armor", "--detach-sign", &file])
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        // The agent that GnuPG starts would outlive the test.
        let _ = duct::cmd!("gpgconf", "--kill", "all")
            .env("GNUPGHOME", &self.home)
            .stderr_null()
            .unchecked()
            .run();
    }
}

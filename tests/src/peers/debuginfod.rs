// SPDX-License-Identifier: MIT OR Apache-2.0
//! elfutils' debuginfod on loopback: a server of debug files by build-id.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::setup;

/// What it says of a file that it knows from then on.
const RECORDED: &str = "recorded buildid=";

/// A running server; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    process: Child,
    /// Where it is.
    pub url: String,
}

impl Server {
    /// Starts one for the files of a folder, each with a build-id, and waits until it knows them.
    ///
    /// # Errors
    /// The program cannot be had, or it ends.
    pub fn start(folder: &Path) -> Result<Self> {
        let program = setup::program("debuginfod", "debuginfod")?;
        // Nobody else takes it in the moment between.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut process = Command::new(program)
            .args(["-vvv", "-F", "--disable-source-scan", "-d", ":memory:", "-p"])
            .arg(port.to_string())
            .arg(folder)
            .env_remove("DEBUGINFOD_URLS")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("start debuginfod")?;
        let said = process.stderr.take().context("debuginfod has no stderr")?;
        let server = Self { process, url: format!("http://127.0.0.1:{port}") };
        let mut lines = BufReader::new(said).lines();
        let files = fs::read_dir(folder)?.count();
        let recorded = lines.by_ref().map_while(Result::ok).filter(|it| it.contains(RECORDED));
        ensure!(recorded.take(files).count() == files, "debuginfod ended too early");
        // What it says of each request has to be read, or it would wait.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

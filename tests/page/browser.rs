// SPDX-License-Identifier: MIT OR Apache-2.0
//! A Chromium without a window, asked by the DevTools protocol over a pipe: JSON objects, each ended
//! by a NUL. The browser reads them from descriptor 3 and answers on 4, and ends when nobody
//! holds the other end any more, so that none is left behind.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tests::peers::setup;

/// The longest that the browser may take for one answer, also on a machine with much to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// No sandbox: tests run as root, and the pages are ours. Nothing of its own goes to the network.
const OPTIONS: [&str; 10] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-smooth-scrolling",
];

/// A browser with one page.
pub(crate) struct Browser {
    process: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    events: Vec<Value>,
    session: Option<String>,
    last: u64,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A browser that shows nothing yet.
    pub(crate) fn start() -> Result<Self> {
        let program = setup::program("chromium", "chromium")?;
        let profile = tempfile::tempdir()?;
        // Only a shell passes other descriptors than the first three on.
        let mut process = Command::new("/bin/sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1"])
            .arg(program)
            .args(OPTIONS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            // Where it leaves more than its profile when it is killed.
            .env("TMPDIR", profile.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start chromium")?;
        let commands = process.stdin.take().context("no pipe")?;
        let answers = read(process.stdout.take().context("no pipe")?);
        let (events, session) = (Vec::new(), None);
        let mut browser =
            Self { process, commands, answers, events, session, last: 0, _profile: profile };
        let page = browser.ask("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let session = browser.ask("Target.attachToTarget", &attach)?;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Network", "Runtime", "Log"] {
            browser.ask(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(browser)
    }

    /// Sends a command and waits for its answer; what happens meanwhile is kept.
    pub(crate) fn ask(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let text = format!("{command}\0");
        self.commands.write_all(text.as_bytes()).context("chromium has ended")?;
        loop {
            let mut answer = self.next().with_context(|| format!("no answer to {method}"))?;
            if answer["id"] == json!(self.last) {
                ensure!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return Ok(answer["result"].take());
            }
            self.events.push(answer);
        }
    }

    fn next(&mut self) -> Result<Value> {
        Ok(self.answers.recv_timeout(PATIENCE)?)
    }

    /// Shows a page of this machine; gives what happened until it was there.
    pub(crate) fn open(&mut self, page: &Path) -> Result<Vec<Value>> {
        self.events.clear();
        self.ask("Page.navigate", &json!({"url": format!("file://{}", page.display())}))?;
        let mut happened = std::mem::take(&mut self.events);
        while happened.iter().all(|event| event["method"] != json!("Page.loadEventFired")) {
            happened.push(self.next().context("the page is not there")?);
        }
        Ok(happened)
    }

    /// The value of an expression on the page.
    pub(crate) fn value(&mut self, expression: &str) -> Result<Value> {
        let parameters = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.ask("Runtime.evaluate", &parameters)?;
        if !answer["exceptionDetails"].is_null() {
            bail!("{expression}: {}", answer["exceptionDetails"]);
        }
        Ok(answer["result"]["value"].take())
    }

    /// The size of the window, in CSS pixels.
    pub(crate) fn resize(&mut self, width: u32, height: u32) -> Result<()> {
        let mobile = width < height;
        let size =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile});
        self.ask("Emulation.setDeviceMetricsOverride", &size).map(|_| ())
    }

    /// `light` or `dark`, as the user's system has it.
    pub(crate) fn prefer(&mut self, scheme: &str) -> Result<()> {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.ask("Emulation.setEmulatedMedia", &json!({"features": [feature]})).map(|_| ())
    }

    /// Presses a key and lets it go.
    pub(crate) fn press(&mut self, key: &Key) -> Result<()> {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key.name, "code": key.name,
                "windowsVirtualKeyCode": key.code});
            if let Some(text) = key.text.filter(|_| kind == "keyDown") {
                event["text"] = json!(text);
            }
            self.ask("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // They would end by themselves with the pipe, a moment after the test.
        if let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.process.wait();
    }
}

/// A key as the protocol names it.
pub(crate) struct Key {
    name: &'static str,
    code: u32,
    text: Option<&'static str>,
}

impl Key {
    pub(crate) const TAB: Self = Self { name: "Tab", code: 9, text: None };
    pub(crate) const ENTER: Self = Self { name: "Enter", code: 13, text: Some("\r") };
    pub(crate) const RIGHT: Self = Self { name: "ArrowRight", code: 39, text: None };
}

/// What the browser writes, object by object.
fn read(answers: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for message in BufReader::new(answers).split(0).map_while(Result::ok) {
            let Ok(message) = serde_json::from_slice(&message) else { continue };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! A web server for one folder: GET, ranges, and mistakes on demand.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};

/// A mistake of the server, for one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It always answers with this status.
    Status(u16),
    /// It ends the first answer after so many bytes.
    CutOnce(u64),
}

/// A server that ends with the process.
#[derive(Debug)]
pub struct Server {
    /// Its address, without a slash at the end.
    pub url: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    folder: PathBuf,
    /// By the end of the path.
    faults: Mutex<BTreeMap<String, Fault>>,
    /// Paths and the first byte that was asked for.
    asked: Mutex<Vec<(String, u64)>>,
}

impl Server {
    /// Serves a folder.
    ///
    /// # Errors
    /// There is no loopback network.
    pub fn start(folder: PathBuf) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("listen on loopback")?;
        let url = format!("http://{}", listener.local_addr()?);
        let (faults, asked) = (Mutex::default(), Mutex::default());
        let state = Arc::new(State { folder, faults, asked });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                // A client that hangs up is no concern of the server's.
                std::thread::spawn(move || state.answer(&stream));
            }
        });
        Ok(Self { url, state })
    }

    /// Makes a mistake for paths with this end from now on.
    pub fn fault(&self, path: &str, fault: Fault) {
        lock(&self.state.faults).insert(path.to_owned(), fault);
    }

    /// The first bytes that were asked for of paths with this end, in order.
    #[must_use]
    pub fn asked(&self, path: &str) -> Vec<u64> {
        let asked = lock(&self.state.asked);
        asked.iter().filter(|(it, _)| it.ends_with(path)).map(|(_, from)| *from).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn answer(&self, stream: &TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next()?.ok()?;
        let path = first.strip_prefix("GET /")?.split(' ').next()?.replace("%2B", "+");
        let mut from = 0;
        for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
            let range = line.to_ascii_lowercase();
            if let Some(range) = range.strip_prefix("range: bytes=") {
                from = range.trim_end_matches('-').parse().ok()?;
            }
        }
        lock(&self.asked).push((path.clone(), from));
        let fault = self.take_fault(&path);
        let content = fs::read(self.folder.join(&path));
        let (status, bytes) = match (&fault, &content) {
            (Some(Fault::Status(status)), _) => (*status, &[][..]),
            (_, Err(_)) => (404, &[][..]),
            (_, Ok(bytes)) => {
                let start = usize::try_from(from).ok()?;
                (if from > 0 { 206 } else { 200 }, bytes.get(start..)?)
            }
        };
        let mut stream = stream;
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            bytes.len()
        );
        stream.write_all(head.as_bytes()).ok()?;
        let end = match fault {
            Some(Fault::CutOnce(after)) => bytes.len().min(usize::try_from(after).ok()?),
            _ => bytes.len(),
        };
        stream.write_all(&bytes[..end]).ok()
    }

    fn take_fault(&self, path: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        let (end, fault) = faults.iter().find(|(end, _)| path.ends_with(end.as_str()))?;
        let (end, fault) = (end.clone(), *fault);
        if matches!(fault, Fault::CutOnce(_)) {
            faults.remove(&end);
        }
        Some(fault)
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's log, through `/dev/kmsg` (3.5 and later).

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

/// Most records that are read in one go: a kernel that logs without end does not hold us up.
const MOST_RECORDS: usize = 100_000;

/// A place in the log.
#[derive(Debug)]
pub(crate) struct Log(File);

impl Log {
    /// From the oldest record that is kept.
    ///
    /// # Errors
    /// There is no `/dev/kmsg`.
    pub(crate) fn from_start() -> io::Result<Self> {
        // `custom_flags` takes the C type; the flag is a small positive number.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        Ok(Self(OpenOptions::new().read(true).custom_flags(flags).open("/dev/kmsg")?))
    }

    /// From now on.
    ///
    /// # Errors
    /// There is no `/dev/kmsg`.
    pub(crate) fn from_now() -> io::Result<Self> {
        let mut log = Self::from_start()?;
        log.0.seek(SeekFrom::End(0))?;
        Ok(log)
    }

    /// The texts that came since.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        // Each read gives one whole record.
        let mut record = [0; 8192];
        for _ in 0..MOST_RECORDS {
            match self.0.read(&mut record) {
                Ok(0) => break,
                Ok(count) => {
                    let record = record.get(..count).unwrap_or_default();
                    texts.extend(text(&String::from_utf8_lossy(record)));
                }
                // EPIPE: records were overwritten; the next read goes on behind them.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(_) => break,
            }
        }
        texts
    }
}

/// The text of a record: `6,339,5140900,-;text`, then lines with a blank in front that hold
/// properties of devices.
fn text(record: &str) -> Option<String> {
    let (_, rest) = record.split_once(';')?;
    rest.lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_behind_the_first_semicolon() {
        assert_eq!(
            text("3,415,2231,-;process: version magic 'a; b' should be 'c'\n").unwrap(),
            "process: version magic 'a; b' should be 'c'"
        );
        assert_eq!(
            text("6,1,2,-;virtio0: x\n SUBSYSTEM=virtio\n DEVICE=+virtio:0\n").unwrap(),
            "virtio0: x"
        );
        assert_eq!(text("no record"), None);
    }
}

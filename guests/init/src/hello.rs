// SPDX-License-Identifier: MIT OR Apache-2.0
//! The first word to the host.

use std::fs;
use std::thread;

use protocol::{Message, Stage};

/// The greeting of the running kernel.
pub(crate) fn hello(stage: Stage) -> Message {
    Message::Hello {
        stage,
        kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
        cpus: thread::available_parallelism()
            .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
        uptime_ms: fs::read_to_string("/proc/uptime")
            .ok()
            .and_then(|text| uptime_ms(&text))
            .unwrap_or_default(),
    }
}

/// Milliseconds in `/proc/uptime`, whose first word is seconds with two decimals.
fn uptime_ms(text: &str) -> Option<u64> {
    let (seconds, hundredths) = text.split_whitespace().next()?.split_once('.')?;
    let hundredths: u64 = hundredths.parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1000)?.checked_add(hundredths.checked_mul(10)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_in_milliseconds() {
        assert_eq!(uptime_ms("3.27 5.01\n"), Some(3270));
        assert_eq!(uptime_ms("0.05 0.00"), Some(50));
        assert_eq!(uptime_ms("x"), None);
        assert_eq!(uptime_ms("99999999999999999999.00 0"), None);
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time of day as text, always UTC: the zone of who reads the dump says nothing about the machine.

use jiff::Timestamp;

/// A second since 1970 as `Mon Nov 23 06:53:10 UTC 2026`.
pub(super) fn text(second: i64) -> String {
    match Timestamp::from_second(second) {
        Ok(time) => time.strftime("%a %b %e %H:%M:%S UTC %Y").to_string(),
        Err(_) => format!("{second} s after 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn dates_are_those_of_date_1() {
        // `date -u -d @…`
        assert_eq!(text(0), "Thu Jan  1 00:00:00 UTC 1970");
        assert_eq!(text(1_795_416_790), "Mon Nov 23 06:53:10 UTC 2026");
        assert_eq!(text(i64::MAX), "9223372036854775807 s after 1970");
    }
}

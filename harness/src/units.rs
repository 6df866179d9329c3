// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sizes and times for people.

use std::time::Duration;

/// A number of bytes: `28.4 MiB`, `1 GiB`, `512 B`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];
    for (unit, shift) in UNITS {
        if bytes >> shift > 0 {
            let whole = bytes >> shift;
            let tenth = ((bytes - (whole << shift)) * 10) >> shift;
            return match tenth {
                0 => format!("{whole} {unit}"),
                tenth => format!("{whole}.{tenth} {unit}"),
            };
        }
    }
    format!("{bytes} B")
}

/// A time: `0.8s`, `14.2s`, `2m 05s`.
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{seconds}.{}s", duration.subsec_millis() / 100);
    }
    format!("{}m {:02}s", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_at_most_one_decimal() {
        for (size, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1 << 10, "1 KiB"),
            (1_610_612_736, "1.5 GiB"),
            (29_779_600, "28.4 MiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }

    #[test]
    fn times_above_a_minute_have_no_decimals() {
        assert_eq!(duration(Duration::from_millis(849)), "0.8s");
        assert_eq!(duration(Duration::from_secs(125)), "2m 05s");
    }
}

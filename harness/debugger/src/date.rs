// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time of day as text, always UTC: the zone of who reads the dump says nothing about the machine.

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [(&str, i64); 12] = [
    ("Jan", 31),
    ("Feb", 28),
    ("Mar", 31),
    ("Apr", 30),
    ("May", 31),
    ("Jun", 30),
    ("Jul", 31),
    ("Aug", 31),
    ("Sep", 30),
    ("Oct", 31),
    ("Nov", 30),
    ("Dec", 31),
];
/// The first second of the year 2500; no kernel's clock was there.
const LAST: i64 = 16_725_225_600;

/// A second since 1970 as `Mon Nov 23 06:53:10 UTC 2026`.
pub(super) fn text(second: i64) -> String {
    if !(0..LAST).contains(&second) {
        return format!("{second} s after 1970");
    }
    let (mut day, clock) = (second / 86_400, second % 86_400);
    let weekday = DAYS.get(usize::try_from(day % 7).unwrap_or(0)).unwrap_or(&"?");
    let mut year = 1970;
    while day >= days_of(year) {
        day -= days_of(year);
        year += 1;
    }
    let mut month = "?";
    for (name, days) in MONTHS {
        let days = days + i64::from(name == "Feb" && days_of(year) == 366);
        month = name;
        if day < days {
            break;
        }
        day -= days;
    }
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{weekday} {month} {:>2} {hour:02}:{minute:02}:{second:02} UTC {year}", day + 1)
}

/// Days of a year.
const fn days_of(year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn dates_are_those_of_date_1() {
        // `date -u -d @…`
        assert_eq!(text(0), "Thu Jan  1 00:00:00 UTC 1970");
        assert_eq!(text(1_795_416_790), "Mon Nov 23 06:53:10 UTC 2026");
        assert_eq!(text(951_782_400), "Tue Feb 29 00:00:00 UTC 2000");
        assert_eq!(text(1_735_689_599), "Tue Dec 31 23:59:59 UTC 2024");
        assert_eq!(text(4_107_542_400), "Mon Mar  1 00:00:00 UTC 2100");
        assert_eq!(text(i64::MAX), "9223372036854775807 s after 1970");
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! How often something that does not happen each time happens.

/// Quantile of the normal distribution for an interval that holds the true rate in 95 of 100 cases.
const Z: f64 = 1.959_963_984_540_054;

/// So many of so many, with the interval that the true rate is in (Wilson's, 95 %): right also for
/// few runs, and for none or all of them, where the usual one is empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// How often it happened.
    pub hits: u32,
    /// How often it could have.
    pub of: u32,
}

impl Rate {
    /// The observed rate, between 0 and 1; 0 of none.
    #[must_use]
    pub fn observed(self) -> f64 {
        if self.of == 0 { 0.0 } else { f64::from(self.hits) / f64::from(self.of) }
    }

    /// Lower and upper end of the interval, between 0 and 1.
    #[must_use]
    pub fn interval(self) -> (f64, f64) {
        if self.of == 0 {
            return (0.0, 1.0);
        }
        let (n, p, z2) = (f64::from(self.of), self.observed(), Z * Z);
        let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (low, high) = self.interval();
        let percent = |rate: f64| format!("{:.0}", rate * 100.0);
        let Self { hits, of } = self;
        let (is, low, high) = (percent(self.observed()), percent(low), percent(high));
        write!(f, "{hits} of {of}: {is} % (95 % interval {low}–{high} %)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of R's `binom::binom.wilson`, and of Newcombe's paper of 1998 (81 of 263, 15 of 148,
    /// 0 of 20, 1 of 29: method 3).
    #[test]
    fn intervals_are_those_of_the_literature() {
        for (hits, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0000, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let (l, h) = Rate { hits, of }.interval();
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{hits}/{of}: {l} {h}");
        }
        assert_eq!(Rate { hits: 0, of: 0 }.interval(), (0.0, 1.0));
    }

    #[test]
    fn it_is_told_in_percent() {
        let text = Rate { hits: 3, of: 10 }.to_string();
        assert_eq!(text, "3 of 10: 30 % (95 % interval 11–60 %)");
    }
}

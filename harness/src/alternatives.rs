// SPDX-License-Identifier: MIT OR Apache-2.0
//! What somebody may have meant by a name that there is not.

/// Names that are alike to this degree are offered, by Jaro and Winkler's measure from 0 to 1.
const ALIKE: f64 = 0.8;
/// Letters of a part of a name by which it is offered.
const SHORTEST_PART: usize = 3;
/// Names that are offered.
const MOST: usize = 3;
/// Names that are listed where none is alike.
const MOST_LISTED: usize = 12;

/// A question for the names that are alike, the most alike one first; none where none is.
#[must_use]
pub(crate) fn meant<'n>(wrong: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let wrong = wrong.to_lowercase();
    let degree = |name: &str| {
        let name = name.to_lowercase();
        let is_part = wrong.len() >= SHORTEST_PART && name.contains(&wrong);
        if is_part { 1.0 } else { strsim::jaro_winkler(&wrong, &name) }
    };
    let alike = |name| (degree(name), name);
    let mut all: Vec<(f64, &str)> =
        known.into_iter().map(alike).filter(|(degree, _)| *degree >= ALIKE).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let names: Vec<String> = all.iter().take(MOST).map(|(_, name)| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(", ")))
}

/// A hint: the names that are alike, the most alike one first; the list of all where none is.
#[must_use]
pub(crate) fn hint<'n>(
    wrong: &str,
    what: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> String {
    let mut all: Vec<&str> = known.into_iter().collect();
    if let Some(meant) = meant(wrong, all.iter().copied()) {
        return meant;
    }
    all.sort_unstable();
    let names: Vec<&str> = all.iter().take(MOST_LISTED).copied().collect();
    let more = all.len().saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{what}: {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_letters_swapped_is_met_and_another_one_gets_the_list() {
        let guests = ["linux-7", "plain-11", "plain-12", "plain-13"];
        assert!(hint("palin-12", "guests", guests).starts_with("did you mean `plain-12`"));
        assert!(hint("PLAIN-12", "guests", guests).starts_with("did you mean `plain-12`"));
        assert_eq!(hint("nux", "guests", guests), "did you mean `linux-7`?");
        assert_eq!(hint("x", "guests", guests), "guests: linux-7, plain-11, plain-12, plain-13");
        let many: Vec<String> = (0..20).map(|number| format!("case-{number:02}")).collect();
        let list = hint("zzz", "cases", many.iter().map(String::as_str));
        assert!(list.ends_with("case-11 and 8 more"), "{list}");
        assert_eq!(hint("x", "guests", []), "guests: ");
        assert_eq!((meant("zzz", guests), meant("x", [])), (None, None));
    }
}

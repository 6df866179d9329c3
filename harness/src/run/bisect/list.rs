// SPDX-License-Identifier: MIT OR Apache-2.0
//! Search in a list that begins well and ends badly.

use super::{Answer, Failure, Steps, Tried, halvings};

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<'n> {
    /// The first bad one; the one before is good.
    First(&'n str),
    /// The first of the list is bad already.
    Always(&'n str),
    /// The last of the list is good still.
    Never(&'n str),
    /// This one cannot be told.
    Untold(&'n str),
}

/// The first bad one of a list that gets bad once, by halving. The list is not empty.
///
/// # Errors
/// What `ask` fails with.
pub fn first_bad<'n>(
    names: &'n [String],
    steps: &mut Steps,
    mut ask: impl FnMut(&str) -> Result<Tried, Failure>,
) -> Result<Found<'n>, Failure> {
    let (mut good, mut bad) = (0, names.len() - 1);
    let mut ask = |name: &'n String, between: usize, ends: usize| {
        steps.take(name, ends + halvings(between), || ask(name))
    };
    match ask(&names[bad], bad, if bad == good { 1 } else { 2 })? {
        Answer::Good => return Ok(Found::Never(&names[bad])),
        Answer::Untold => return Ok(Found::Untold(&names[bad])),
        Answer::Bad if bad == good => return Ok(Found::Always(&names[bad])),
        Answer::Bad => {}
    }
    match ask(&names[good], bad - good, 1)? {
        Answer::Bad => return Ok(Found::Always(&names[good])),
        Answer::Untold => return Ok(Found::Untold(&names[good])),
        Answer::Good => {}
    }
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        match ask(&names[middle], bad - good, 0)? {
            Answer::Good => good = middle,
            Answer::Bad => bad = middle,
            Answer::Untold => return Ok(Found::Untold(&names[middle])),
        }
    }
    Ok(Found::First(&names[bad]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(first: usize) -> (String, usize) {
        let names: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let mut asked = 0;
        let mut steps = Steps::quiet();
        let found = first_bad(&names, &mut steps, |name| {
            asked += 1;
            let bad = name.parse::<usize>().unwrap() >= first;
            Ok(Tried::as_told(if bad { Answer::Bad } else { Answer::Good }))
        });
        (format!("{:?}", found.unwrap()), asked)
    }

    #[test]
    fn every_place_is_found_in_few_steps() {
        for first in 1..9 {
            let (found, asked) = search(first);
            assert_eq!(found, format!("First(\"{first}\")"));
            assert!(asked <= 5, "{asked} steps");
        }
        assert_eq!(search(0).0, "Always(\"0\")");
        assert_eq!(search(9).0, "Never(\"8\")");
    }

    #[test]
    fn what_cannot_be_told_ends_the_search() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let found = first_bad(&names, &mut Steps::quiet(), |name| {
            Ok(Tried::as_told(match name {
                "a" => Answer::Good,
                "b" => Answer::Untold,
                _ => Answer::Bad,
            }))
        });
        assert_eq!(found, Ok(Found::Untold("b")));
    }
}

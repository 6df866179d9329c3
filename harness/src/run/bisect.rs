// SPDX-License-Identifier: MIT OR Apache-2.0
//! Search in a list that begins well and ends badly.

/// What a step found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No crash.
    Good,
    /// A crash.
    Bad,
    /// Nothing could be found out.
    Untold,
}

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
pub fn first_bad<'n, E>(
    names: &'n [String],
    mut ask: impl FnMut(&str) -> Result<Answer, E>,
) -> Result<Found<'n>, E> {
    let (mut good, mut bad) = (0, names.len() - 1);
    match ask(&names[bad])? {
        Answer::Good => return Ok(Found::Never(&names[bad])),
        Answer::Untold => return Ok(Found::Untold(&names[bad])),
        Answer::Bad => {}
    }
    match ask(&names[good])? {
        Answer::Bad => return Ok(Found::Always(&names[good])),
        Answer::Untold => return Ok(Found::Untold(&names[good])),
        Answer::Good => {}
    }
    while bad - good > 1 {
        let middle = good.midpoint(bad);
        match ask(&names[middle])? {
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
        let found = first_bad(&names, |name| {
            asked += 1;
            let bad = name.parse::<usize>().unwrap() >= first;
            Ok::<_, ()>(if bad { Answer::Bad } else { Answer::Good })
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
        let found = first_bad(&names, |name| {
            Ok::<_, ()>(match name {
                "a" => Answer::Good,
                "b" => Answer::Untold,
                _ => Answer::Bad,
            })
        });
        assert_eq!(found, Ok(Found::Untold("b")));
    }
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Licences of everything that is linked or run to build: each crate must offer one of these.

use std::path::Path;

use anyhow::{Context as _, Result};
use duct::cmd;

use super::Problem;
use crate::run::{cargo, root};

const ACCEPTED: [&str; 8] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Zlib",
    "Unicode-3.0",
    "0BSD",
];

pub(super) fn check() -> Result<Vec<Problem>> {
    let arguments =
        ["tree", "--workspace", "--locked", "--prefix", "none", "--format", "{p}\t{l}\t"];
    let list = cmd(cargo(), arguments).dir(root()).read().context("list the crates with cargo")?;
    let mut problems = Vec::new();
    for line in list.lines() {
        let mut fields = line.split('\t');
        let (Some(package), Some(licence)) = (fields.next(), fields.next()) else { continue };
        if !accepted(licence) {
            let message = format!("the licence of {package} is `{licence}`, which is not accepted");
            problems.push(Problem::of(Path::new("Cargo.lock"), message));
        }
    }
    Ok(problems)
}

/// Whether a licence expression can be met. Where crates mix the two words they mean alternatives
/// inside of parts, `(A OR B) AND C`; older crates write `/` for `OR`.
fn accepted(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace(['(', ')'], "");
    let any = |part: &str| part.split(" OR ").any(|name| ACCEPTED.contains(&name.trim()));
    expression.split(" AND ").all(any)
}

#[cfg(test)]
mod tests {
    use super::accepted;

    #[test]
    fn one_alternative_is_enough_and_every_part_is_needed() {
        for good in ["MIT", "Unlicense OR MIT", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Zlib"] {
            assert!(accepted(good), "{good}");
        }
        for bad in ["", "GPL-3.0", "MIT AND GPL-2.0", "MPL-2.0"] {
            assert!(!accepted(bad), "{bad}");
        }
    }
}

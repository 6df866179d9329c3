// SPDX-License-Identifier: MIT OR Apache-2.0
//! `report.html` as its readers see it: in a real Chromium, on a phone and at a desk, by day and by
//! night, without a mouse, without a network.

mod browser;
mod checks;
mod pages;

use std::process::ExitCode;

use anyhow::{Result, ensure};
use browser::Browser;
use libtest_mimic::{Arguments, Trial};
use pages::Page;
use tests::trial::trial;

/// Finds what is wrong with a page that is shown.
type Check = fn(&mut Browser, &Page) -> Result<Vec<String>>;

const CHECKS: [(&str, Check); 5] = [
    ("it_fits_a_phone_and_a_desk", checks::layout),
    ("it_can_be_read_by_day_and_by_night", checks::colours),
    ("it_can_be_used_without_a_mouse", checks::keyboard),
    ("it_shows_what_is_chosen", checks::filter),
    ("it_asks_nobody_and_nothing_fails", checks::silence),
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let right = CHECKS.map(|(name, check)| trial(format!("page::{name}"), move || is_right(check)));
    let mut trials: Vec<Trial> = right.into();
    trials.push(trial("page::what_is_wrong_is_noticed", wrong_is_noticed));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn is_right(check: Check) -> Result<()> {
    let mut browser = Browser::start()?;
    for page in pages::all()? {
        let faults = check(&mut browser, &page)?;
        ensure!(faults.is_empty(), "the page of {}:\n{}", page.name, faults.join("\n"));
    }
    Ok(())
}

/// A page with a mistake for each check.
const WRONG: &str = r#"<!DOCTYPE html><html><head><meta charset="utf-8"><style>
:focus { outline: none }
.wide { width: 2000px; color: #999; background: #fff }
</style></head><body>
<div class="wide">too wide and too pale</div>
<a href="http://localhost:9/elsewhere">a link</a>
<img src="http://localhost:9/picture.png" alt="">
<script>nothing.like.that()</script>
</body></html>"#;

fn wrong_is_noticed() -> Result<()> {
    let mut browser = Browser::start()?;
    let page = Page::of(WRONG)?;
    for (name, check) in CHECKS {
        let faults = check(&mut browser, &page)?;
        ensure!(!faults.is_empty(), "{name} finds nothing wrong");
    }
    Ok(())
}

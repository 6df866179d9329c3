// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has to hold for a page. Each check gives what is wrong, in words.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::browser::{Browser, Key};
use crate::pages::Page;

/// Finds what is wrong with what is shown; brings `look` onto the page.
const LOOK: &str = include_str!("look.js");
/// A phone and a desk.
const WIDTHS: [u32; 2] = [375, 1280];
const HEIGHT: u32 = 800;
const SCHEMES: [&str; 2] = ["light", "dark"];

/// Nothing is wider than the window, but for what can be scrolled by itself.
pub(crate) fn layout(browser: &mut Browser, page: &Page) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for width in WIDTHS {
        browser.resize(width, HEIGHT)?;
        show(browser, page)?;
        let found = words(&browser.value("look.layout()")?);
        faults.extend(found.into_iter().map(|fault| format!("{width} pixels: {fault}")));
        picture(browser, &format!("{}-{width}", page.name))?;
    }
    Ok(faults)
}

/// Text and bars stand out from what is behind them, in both schemes, which differ.
pub(crate) fn colours(browser: &mut Browser, page: &Page) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut grounds = Vec::new();
    for scheme in SCHEMES {
        browser.prefer(scheme)?;
        show(browser, page)?;
        let found = words(&browser.value("look.colours()")?);
        faults.extend(found.into_iter().map(|fault| format!("{scheme}: {fault}")));
        grounds.push(browser.value("getComputedStyle(document.body).backgroundColor")?);
        picture(browser, &format!("{}-{scheme}", page.name))?;
    }
    if grounds[0] == grounds[1] {
        faults.push(format!("both schemes are {}", grounds[0]));
    }
    Ok(faults)
}

/// The Tab key goes through everything that can be used, in order and seen; Enter opens and follows.
pub(crate) fn keyboard(browser: &mut Browser, page: &Page) -> Result<Vec<String>> {
    browser.resize(WIDTHS[0], HEIGHT)?;
    show(browser, page)?;
    let stops = browser.value("look.stops")?.as_u64().context("a number")?;
    let mut faults = Vec::new();
    for stop in 0..stops {
        browser.press(&Key::TAB)?;
        let focus = browser.value("look.focus()")?;
        if focus["at"] != json!(stop) {
            faults.push(format!("Tab {stop} leads to stop {}", focus["at"]));
        }
        faults.extend(words(&focus["faults"]));
    }
    faults.extend(use_keys(browser)?);
    Ok(faults)
}

/// The keys do what they say: a log opens, a wide part scrolls, a link leads to its place.
fn use_keys(browser: &mut Browser) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut pressed = 0;
    let mut after = |browser: &mut Browser, at: &str, key: &Key, holds: &str| -> Result<()> {
        let there = browser.value(&format!("(window.it = {at})?.focus() ?? !!window.it"))?;
        if there == json!(false) {
            return Ok(());
        }
        pressed += 1;
        browser.press(key)?;
        if browser.value(holds)? != json!(true) {
            faults.push(format!("{at}: not {holds}"));
        }
        Ok(())
    };
    after(
        browser,
        "document.querySelector('details:not([open]) > summary')",
        &Key::ENTER,
        "it.parentElement.open",
    )?;
    let wide =
        "[...document.querySelectorAll('.wide')].find(it => it.scrollWidth > it.clientWidth)";
    after(browser, wide, &Key::RIGHT, "it.scrollLeft > 0")?;
    let there = "document.querySelector(':target')?.getBoundingClientRect().top < innerHeight";
    after(browser, "document.querySelector('td a')", &Key::ENTER, there)?;
    let unfolded = "document.querySelector(':target')?.checkVisibility()";
    after(browser, "document.querySelector('tr.is-good td a')", &Key::ENTER, unfolded)?;
    if pressed == 0 {
        faults.push("nothing on the page takes a key".to_owned());
    }
    Ok(faults)
}

/// What is chosen is what is seen, by the arrow keys, on a page of several cases.
pub(crate) fn filter(browser: &mut Browser, page: &Page) -> Result<Vec<String>> {
    browser.resize(WIDTHS[1], HEIGHT)?;
    show(browser, page)?;
    let mut faults = Vec::new();
    if browser.value("document.querySelectorAll('section.run').length")? == json!(1) {
        return Ok(faults);
    }
    if browser.value("!!document.getElementById('show-all')")? == json!(false) {
        return Ok(vec!["nothing can be chosen".to_owned()]);
    }
    let all = browser.value("look.seen()")?;
    browser.value("document.getElementById('show-all').focus()")?;
    let none = json!([0, 0]);
    for (chosen, seen) in [("failing", [&none, &all[1]]), ("passing", [&all[0], &none])] {
        browser.press(&Key::RIGHT)?;
        let is = browser.value("look.seen()")?;
        if is != json!(seen) {
            faults.push(format!("{chosen}: {is} is seen instead of {seen:?}"));
        }
    }
    if all[0] == none || all[1] == none {
        faults.push(format!("there is nothing to choose from: {all}"));
    }
    Ok(faults)
}

/// The browser asks for the page and for nothing else, runs nothing, and has nothing to complain about.
pub(crate) fn silence(browser: &mut Browser, page: &Page) -> Result<Vec<String>> {
    let happened = browser.open(&page.path())?;
    let own = json!(format!("file://{}", page.path().display()));
    let fault = |event: &Value| match event["method"].as_str() {
        Some("Network.requestWillBeSent") if event["params"]["request"]["url"] == own => None,
        Some(
            "Network.requestWillBeSent"
            | "Network.webSocketCreated"
            | "Runtime.exceptionThrown"
            | "Runtime.consoleAPICalled"
            | "Log.entryAdded",
        ) => Some(event.to_string()),
        _ => None,
    };
    let mut faults: Vec<String> = happened.iter().filter_map(fault).collect();
    let scripts = browser.value("document.scripts.length")?;
    if scripts != json!(0) {
        faults.push(format!("{scripts} scripts"));
    }
    Ok(faults)
}

fn show(browser: &mut Browser, page: &Page) -> Result<()> {
    browser.open(&page.path())?;
    browser.value(LOOK).map(|_| ())
}

fn words(list: &Value) -> Vec<String> {
    let items = list.as_array().map_or(&[][..], |items| items);
    items.iter().map(|item| item.as_str().unwrap_or_default().to_owned()).collect()
}

/// A picture of the whole page for people, in the folder that `REPRO_PICTURES` names.
fn picture(browser: &mut Browser, name: &str) -> Result<()> {
    let Some(folder) = std::env::var_os("REPRO_PICTURES") else { return Ok(()) };
    let taken = browser.ask("Page.captureScreenshot", &json!({"captureBeyondViewport": true}))?;
    let data = taken["data"].as_str().context("no picture")?;
    let path = PathBuf::from(folder).join(format!("{name}.png"));
    Ok(std::fs::write(path, BASE64_STANDARD.decode(data)?)?)
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Modules of others, from packages: used by a soak, and with a fault that is found.

use std::fs;

use harness::foreign::Fault;
use tests::project;

use crate::repository::Repository;

/// A case of a package as somebody makes it by hand: `new-case --dkms`, and the few lines that a soak
/// needs besides. Then the same with a fault.
#[track_caller]
fn soak_and_fault(package: &str, fault: &str) {
    let foreign = project::root().join("tests/foreign");
    // The module without its fault has to survive what provokes it.
    let soak = Fault::load(&foreign.join(format!("{fault}.json"))).unwrap();
    let own = Repository::empty();
    own.write("use-it.sh", &soak.trigger);
    let made = "--expect none --trigger use-it.sh --guest debian-12";
    own.repro(&format!("new-case calm --dkms {package} {made}")).ends(0);
    let manifest = own.read("cases/calm/case.toml");
    let manifest = manifest.replace("# packages = [\"iptables\"]", "packages = [\"dmsetup\"]");
    let known = |name: &str| manifest.contains(&format!("name = \"{name}\""));
    let mut modules = String::new();
    for module in soak.load_in_order.iter().filter(|module| !known(module)) {
        let (name, words) = module.split_once(' ').unwrap_or((module, ""));
        modules.push_str(&format!("[[module]]\nname = \"{name}\"\nin-tree = true\n"));
        for (key, value) in words.split(' ').filter_map(|word| word.split_once('=')) {
            modules.push_str(&format!("parameters.{key} = \"{value}\"\n"));
        }
    }
    let at = manifest.find("\n[[module]]").unwrap();
    let manifest = format!("{}\n{modules}{}", &manifest[..at], &manifest[at..]);
    own.write("cases/calm/case.toml", &manifest);
    own.repro("run --capture fast --boot snapshot calm").ends(0).says(&["1 as expected"]);

    let text = fs::read_to_string(foreign.join(format!("{fault}.json"))).unwrap();
    let fault: serde_json::Value = serde_json::from_str(&text).unwrap();
    let manifest = manifest
        .replace("\n[setup]", "changes = \"changes.json\"\n\n[setup]")
        .replace("outcome = \"none\"", "outcome = \"crash\"");
    own.write("cases/broken/case.toml", &manifest);
    own.write("cases/broken/changes.json", &fault["changes"].to_string());
    own.write("cases/broken/trigger.sh", fault["trigger"].as_str().unwrap());
    let broken = own.repro("run --capture fast --boot snapshot broken").ends(0);
    let functions = fault["truth"]["functions"].as_array().unwrap();
    let mut named = functions.iter().filter_map(|name| name.as_str());
    let said = format!("{}{}", broken.stdout, broken.stderr);
    assert!(named.any(|name| said.contains(&format!("`{name} "))), "{said}");
}

#[test]
fn a_ram_disk_is_used_and_its_fault_is_found() {
    soak_and_fault("rapiddisk-dkms", "rapiddisk-1");
}

#[test]
fn a_write_cache_is_used_and_its_fault_is_found() {
    soak_and_fault("dm-writeboost-dkms", "writeboost-4");
}

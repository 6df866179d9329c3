// SPDX-License-Identifier: MIT OR Apache-2.0
//! Licences of everything in `Cargo.lock` that is built for this machine.

use serde_json::Value;
use toml::Table;

use crate::{none, tree};

/// The licences that `deny.toml` allows, where cargo-deny finds them as well.
fn allowed() -> Vec<String> {
    let rules: Table = tree::read("deny.toml").parse().unwrap();
    let licences = rules["licenses"]["allow"].as_array().unwrap();
    licences.iter().map(|licence| licence.as_str().unwrap().to_owned()).collect()
}

#[test]
fn dependencies_have_licences_that_fit() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // Without the filter, cargo would fetch libraries of other systems, which are never built.
    let filter = "--filter-platform=x86_64-unknown-linux-gnu";
    let arguments = ["metadata", "--locked", filter, "--format-version=1"];
    let text = duct::cmd(cargo, arguments).dir(tree::root()).stderr_null().read().unwrap();
    let metadata: Value = serde_json::from_str(&text).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "cargo lists {} packages only", packages.len());
    let allowed = allowed();
    let wrong: Vec<_> = packages
        .iter()
        .map(|package| (&package["name"], package["license"].as_str().unwrap_or("no licence")))
        .filter(|(_, licence)| !is_allowed(licence, &allowed))
        .map(|(name, licence)| format!("{name}: {licence}"))
        .collect();
    none("licences that deny.toml does not allow", &wrong);
}

/// Whether an SPDX expression can be met with allowed licences. `A/B` is an old form of
/// `A OR B`; `AND` binds stronger than `OR`.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    if let Some((before, group)) = expression.split_once('(') {
        let (group, after) = group.rsplit_once(')').unwrap_or((group, ""));
        let group = if is_allowed(group, allowed) { "MIT" } else { "denied" };
        return is_allowed(&format!("{before}{group}{after}"), allowed);
    }
    let alternatives = expression.replace('/', " OR ");
    alternatives
        .split(" OR ")
        .any(|all| all.split(" AND ").all(|one| allowed.iter().any(|it| it == one.trim())))
}

#[test]
fn expressions_are_understood() {
    let allowed = allowed();
    for good in ["MIT", "GPL-3.0 OR MIT", "MIT/Apache-2.0", "(GPL-3.0 OR MIT) AND Unicode-3.0"] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in ["GPL-2.0", "MIT AND GPL-2.0", "(MIT OR Zlib) AND SSPL-1.0", "", "no licence"] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

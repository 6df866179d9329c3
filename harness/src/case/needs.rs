// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is loaded for a case, in which order: its own modules, and those of the guest's kernel that
//! they depend on or that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use object::{Object, ObjectSymbol};
use protocol::{ModuleIndex, kernel_name};

use super::build::BuiltModule;
use super::build_error::BuildError;
use super::copy::copy_error;
use super::manifest::{Manifest, Module, Origin};
use super::symvers::Symvers;
use super::{Outcome, modinfo};

/// What the kernel's build names the symbols of a module's list of exports.
const EXPORT: &str = "__ksymtab_";
/// Resolved by the linker, not by the kernel (`simplify_symbols`, kernel/module.c).
const NO_SYMBOL: &str = "_GLOBAL_OFFSET_TABLE_";

/// A module to load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One of the case's own.
    Own {
        /// Name of the file without `.ko`.
        name: String,
        /// Parameters, as insmod(8) takes them.
        parameters: String,
        /// The modules that it depends on, by the kernel's names.
        depends: Vec<String>,
        /// Other names that it can be asked for by.
        aliases: Vec<String>,
    },
    /// One of the guest's kernel, with all that it depends on itself.
    OfKernel {
        /// Its name.
        name: String,
        /// Parameters, as insmod(8) takes them.
        parameters: String,
    },
}

/// What a guest's kernel has.
#[derive(Debug, Clone, Copy)]
pub struct KernelSide<'a> {
    /// Its release.
    pub release: &'a str,
    /// Its modules.
    pub index: &'a ModuleIndex,
    /// Text of its `Module.symvers`; empty where there is none.
    pub symvers: &'a str,
}

/// The modules to load, in order, each after what it depends on.
///
/// # Errors
/// A module needs another one, or a symbol, that neither the case nor the guest's kernel has.
pub fn steps(
    manifest: &Manifest,
    built: &[BuiltModule],
    kernel: KernelSide<'_>,
) -> Result<Vec<Step>, BuildError> {
    let asks = manifest.expect.outcome != Outcome::Refused;
    let mut needs = BTreeMap::new();
    let mut exports = BTreeMap::new();
    for module in built {
        let data = fs::read(&module.path).map_err(copy_error(&module.path))?;
        let need = Need::of(&module.path, &data)?;
        let name = kernel_name(&module.name);
        exports.extend(need.exports.iter().map(|symbol| (symbol.clone(), name.clone())));
        needs.insert(name, need);
    }
    let symvers = Symvers::parse(kernel.symvers);
    if asks && !symvers.is_empty() {
        for module in built {
            if let Some(need) = needs.get(&kernel_name(&module.name)) {
                nobody_lacks(&module.path, need, &symvers, &exports, kernel.release)?;
            }
        }
    }
    let mut order = Order {
        manifest,
        needs: &needs,
        symvers: &symvers,
        kernel,
        asks,
        steps: Vec::new(),
        seen: BTreeSet::new(),
    };
    for module in &manifest.module {
        order.add(module)?;
    }
    Ok(order.steps)
}

/// What a built module needs and gives.
struct Need {
    depends: Vec<String>,
    aliases: Vec<String>,
    undefined: Vec<String>,
    exports: Vec<String>,
}

impl Need {
    fn of(path: &Path, data: &[u8]) -> Result<Self, BuildError> {
        let no_module = |error: object::read::Error| BuildError::NoModule {
            path: path.to_owned(),
            why: error.to_string(),
        };
        let said = modinfo::read(data).map_err(no_module)?;
        let aliases = said.all("alias").map(str::to_owned).collect();
        let depends = said.depends();
        let file = object::File::parse(data).map_err(no_module)?;
        let (mut undefined, mut exports) = (Vec::new(), Vec::new());
        for symbol in file.symbols() {
            let Ok(name) = symbol.name() else { continue };
            if symbol.is_undefined() && !symbol.is_weak() && !name.is_empty() && name != NO_SYMBOL {
                undefined.push(name.to_owned());
            } else if let Some(name) = name.strip_prefix(EXPORT) {
                exports.push(name.to_owned());
            }
        }
        Ok(Self { depends, aliases, undefined, exports })
    }
}

fn nobody_lacks(
    path: &Path,
    need: &Need,
    symvers: &Symvers<'_>,
    exports: &BTreeMap<String, String>,
    release: &str,
) -> Result<(), BuildError> {
    let lacking = |name: &&String| !symvers.has(name) && !exports.contains_key(*name);
    let symbols: Vec<&str> = need.undefined.iter().filter(lacking).map(String::as_str).collect();
    if symbols.is_empty() {
        return Ok(());
    }
    let (path, release) = (path.to_owned(), release.to_owned());
    Err(BuildError::NoSymbols { path, release, symbols: symbols.join(", ") })
}

/// Puts modules after what they depend on.
struct Order<'a> {
    manifest: &'a Manifest,
    needs: &'a BTreeMap<String, Need>,
    symvers: &'a Symvers<'a>,
    kernel: KernelSide<'a>,
    asks: bool,
    steps: Vec<Step>,
    seen: BTreeSet<String>,
}

impl Order<'_> {
    fn add(&mut self, module: &Module) -> Result<(), BuildError> {
        let name = kernel_name(&module.name);
        if !self.seen.insert(name.clone()) {
            return Ok(());
        }
        let parameters = module.parameter_line();
        if module.origin() == Origin::InTree {
            return self.of_kernel(&module.name, parameters);
        }
        let depends = self.depends(&name);
        for needed in &depends {
            self.needed(module, needed)?;
        }
        let aliases = self.needs.get(&name).map(|need| need.aliases.clone()).unwrap_or_default();
        let name = module.name.clone();
        self.steps.push(Step::Own { name, parameters, depends, aliases });
        Ok(())
    }

    /// What a module says that it depends on, and the modules that have the symbols it uses: one
    /// that was built without knowing where they come from does not say so.
    fn depends(&self, name: &str) -> Vec<String> {
        let Some(need) = self.needs.get(name) else { return Vec::new() };
        let mut all: Vec<String> = need.depends.iter().map(|name| kernel_name(name)).collect();
        for owner in need.undefined.iter().filter_map(|symbol| self.symvers.owner(symbol)) {
            let owner = kernel_name(owner);
            if owner != name && !all.contains(&owner) {
                all.push(owner);
            }
        }
        all
    }

    fn needed(&mut self, user: &Module, needed: &str) -> Result<(), BuildError> {
        let own = self.manifest.module.iter().find(|own| kernel_name(&own.name) == needed);
        if let Some(own) = own {
            return self.add(own);
        }
        if !self.seen.insert(needed.to_owned()) {
            return Ok(());
        }
        match self.of_kernel(needed, String::new()) {
            // The kernel is asked.
            Err(_) if !self.asks => Ok(()),
            Err(BuildError::NoInTree { .. }) => Err(BuildError::NoDependency {
                module: user.name.clone(),
                needed: needed.to_owned(),
                release: self.kernel.release.to_owned(),
            }),
            result => result,
        }
    }

    fn of_kernel(&mut self, name: &str, parameters: String) -> Result<(), BuildError> {
        let release = || self.kernel.release.to_owned();
        let index = self.kernel.index;
        if index.is_built_in(name) {
            return match parameters.is_empty() {
                true => Ok(()),
                false => Err(BuildError::BuiltIn { module: name.to_owned(), release: release() }),
            };
        }
        if !index.modules.contains_key(&kernel_name(name)) {
            return Err(BuildError::NoInTree { module: name.to_owned(), release: release() });
        }
        self.steps.push(Step::OfKernel { name: name.to_owned(), parameters });
        Ok(())
    }
}

#[cfg(test)]
mod tests;

// SPDX-License-Identifier: MIT OR Apache-2.0
use protocol::{ModuleEntry, ModulePlace};

use super::*;
use guest::strict::parse;

const SYMVERS: &str = "0x1\tprintk\tvmlinux\tEXPORT_SYMBOL\n\
                       0x2\tdm_register_target\tdrivers/md/dm-mod\tEXPORT_SYMBOL\n";

/// A module as the kernel's build makes it, as far as it matters here.
fn module(
    folder: &Path,
    name: &str,
    depends: &str,
    exports: &[&str],
    uses: &[&str],
) -> BuiltModule {
    let mut source = format!(
        "const char info[] __attribute__((section(\".modinfo\"))) = \"depends={depends}\";\n"
    );
    for export in exports {
        source.push_str(&format!("int __ksymtab_{export};\n"));
    }
    for name in uses {
        source
            .push_str(&format!("int {name}(void); int use_{name}(void) {{ return {name}(); }}\n"));
    }
    let path = folder.join(format!("{name}.ko"));
    duct::cmd!("gcc", "-fno-pic", "-xc", "-", "-c", "-o", &path).stdin_bytes(source).run().unwrap();
    BuiltModule { name: name.to_owned(), path }
}

fn manifest(modules: &str) -> Manifest {
    let text = format!(
        "summary = 's'\n{modules}\n[trigger]\nexec = ['true']\n[expect]\noutcome = 'none'\n"
    );
    parse(Path::new("case.toml"), &text).unwrap()
}

fn index() -> ModuleIndex {
    let entry = ModuleEntry {
        place: ModulePlace::Disk(0, 0),
        depends: vec![],
        wishes: vec![],
        parameters: String::new(),
    };
    let modules = ["dm_mod", "loop", "brd"].map(|name| (name.to_owned(), entry.clone())).into();
    ModuleIndex { modules, built_in: ["crc32c".to_owned()].into(), ..ModuleIndex::default() }
}

fn order(manifest: &Manifest, built: &[BuiltModule]) -> Result<Vec<String>, String> {
    let index = index();
    let kernel = KernelSide { release: "6.1", index: &index, symvers: SYMVERS };
    let words = |step: Step| match step {
        Step::Own { name, parameters, .. } => format!("{name}.ko {parameters}").trim().to_owned(),
        Step::OfKernel { name, parameters } => format!("{name} {parameters}").trim().to_owned(),
    };
    let steps = steps(manifest, built, kernel).map_err(|error| error.to_string())?;
    Ok(steps.into_iter().map(words).collect())
}

#[test]
fn what_a_module_depends_on_comes_before_it_with_the_parameters_that_the_case_says() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let built = [
        module(folder, "cache", "dm-mod,disk,crc32c", &[], &["disk_open"]),
        module(folder, "disk", "", &["disk_open"], &["printk"]),
    ];
    let manifest = manifest(
        "module = [{ name = 'cache' }, { name = 'disk', parameters = { n = 2 } }, \
         { name = 'brd', in-tree = true, parameters = { rd_nr = 1 } }]",
    );
    assert_eq!(
        order(&manifest, &built).unwrap(),
        ["dm_mod", "disk.ko n=2", "cache.ko", "brd rd_nr=1"]
    );
}

/// A vendor's build that does not know where a symbol comes from: `depends` is empty.
#[test]
fn a_symbol_brings_the_module_that_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let built = [module(folder.path(), "m", "", &[], &["dm_register_target"])];
    assert_eq!(order(&manifest("module = [{ name = 'm' }]"), &built).unwrap(), ["dm_mod", "m.ko"]);
}

#[test]
fn what_nobody_has_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let one = manifest("module = [{ name = 'm' }]");
    let error = order(&one, &[module(folder, "m", "", &[], &["akfs_register"])]).unwrap_err();
    assert!(error.contains("m.ko") && error.contains("akfs_register"), "{error}");
    let error = order(&one, &[module(folder, "m", "akfs", &[], &[])]).unwrap_err();
    assert!(error.contains("m depends on akfs"), "{error}");
    let in_tree = |words: &str| manifest(&format!("module = [{{ in-tree = true, {words} }}]"));
    let error = order(&in_tree("name = 'frob'"), &[]).unwrap_err();
    assert!(error.contains("frob"), "{error}");
    assert_eq!(order(&in_tree("name = 'crc32c'"), &[]).unwrap(), [""; 0]);
    let error = order(&in_tree("name = 'crc32c', parameters = { x = 1 }"), &[]).unwrap_err();
    assert!(error.contains("crc32c."), "{error}");
}

/// Where the kernel should refuse a module, it is the kernel that is asked.
#[test]
fn a_case_of_a_refused_module_is_left_to_the_kernel() {
    let folder = tempfile::tempdir().unwrap();
    let built = [module(folder.path(), "m", "akfs", &[], &["akfs_register"])];
    let mut refused = manifest("module = [{ name = 'm' }]");
    refused.expect.outcome = Outcome::Refused;
    assert_eq!(order(&refused, &built).unwrap(), ["m.ko"]);
}

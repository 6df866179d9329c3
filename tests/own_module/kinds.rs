// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kinds of cases that a module's owner needs beside crashes: a soak, a refused load, binaries.

use std::fs;

use crate::repository::Repository;

const MODULE: &str = r#"// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/version.h>

static int mode;
module_param(mode, int, 0444);

static int poke_set(const char *text, const struct kernel_param *parameter)
{
	if (text[0] == 'w')
		WARN(1, "asked to complain\n");
	if (text[0] == 'b')
		pr_err("BUG: poke: its table is full\n");
	if (text[0] == 'h')
		try_module_get(THIS_MODULE);
	if (text[0] == 'c')
		*(int *)0x30 = 1; /* BUG: a write to nowhere */
	return 0;
}

static const struct kernel_param_ops poke_ops = { .set = poke_set };
module_param_cb(poke, &poke_ops, NULL, 0200);

static int __init poke_init(void)
{
	return mode == 2 ? -EPERM : 0;
}

static void __exit poke_exit(void)
{
}

module_init(poke_init);
module_exit(poke_exit);
MODULE_LICENSE("GPL");
"#;

/// A repository whose module is in `driver/`, with a case for each word.
fn repository(cases: &[(&str, &str)]) -> Repository {
    let own = Repository::empty();
    own.write("driver/Makefile", "obj-m += poke.o\n");
    own.write("driver/poke.c", MODULE);
    for (case, rest) in cases {
        let manifest = format!(
            "summary = \"{case}\"\n[[module]]\nname = \"poke\"\nsource = \"../../driver\"\n{rest}"
        );
        own.write(&format!("cases/{case}/case.toml"), &manifest);
    }
    let template = own.repro("new-case unused --source driver --trigger true").ends(0);
    assert!(template.stdout.contains("cases/unused"));
    let manifest = own.read("cases/unused/case.toml");
    assert!(manifest.contains("source = \"../../driver\""), "{manifest}");
    fs::remove_dir_all(own.path("cases/unused")).unwrap();
    own
}

fn trigger(word: &str) -> String {
    let file = "/sys/module/poke/parameters/poke";
    format!("[trigger]\nexec = [\"/bin/sh\", \"-c\", \"echo {word} > {file}\"]\nsettle = \"1s\"\n")
}

#[test]
fn a_soak_is_clean_only_without_complaints_and_with_an_end() {
    let quiet = format!("{}[expect]\noutcome = \"none\"\n", trigger("nothing"));
    let warns = format!("{}[expect]\noutcome = \"none\"\n", trigger("w"));
    let allowed = format!("{warns}allow = [\"at poke_set\", \"poke_set+\"]\n");
    let held = format!("{}[expect]\noutcome = \"none\"\n", trigger("h"));
    let own =
        repository(&[("quiet", &quiet), ("warns", &warns), ("allowed", &allowed), ("held", &held)]);
    own.repro("test quiet").ends(0).says(&[
        "Unloading poke.ko",
        "    Survived quiet@",
        "no complaint, unloaded",
        "1 as expected",
    ]);
    own.repro("test allowed").ends(0);
    own.repro("test warns").ends(100).says(&["kernel log", "WARNING: CPU:"]);
    own.repro("test held").ends(100).says(&["does not unload poke", "1 references to it are held"]);
}

#[test]
fn a_trigger_that_fails_has_tried_nothing() {
    let with = |command: &str, rest: &str| {
        format!("{rest}[trigger]\nexec = [\"/bin/sh\", \"-c\", \"{command}\"]\nsettle = \"1s\"\n")
    };
    let none = "[expect]\noutcome = \"none\"\n";
    let own = repository(&[
        ("missing", &format!("{}{none}", with("/bin/ture", ""))),
        ("wanted", &format!("{}status = 3\n{none}", with("exit 3", ""))),
        ("helped", &format!("{}{none}", with("helper.sh", "[setup]\nfiles = [\"helper.sh\"]\n"))),
    ]);
    own.write("cases/helped/helper.sh", "#!/bin/sh\necho helped\n");
    own.make_executable("cases/helped/helper.sh");
    own.repro("test missing").ends(100).says(&["exit status 127", "/bin/ture: not found"]);
    let junit = own.read("target/repro/latest/junit.xml");
    assert!(junit.contains("trigger: exit status 127"), "{junit}");
    own.repro("test wanted").ends(0);
    own.repro("test helped").ends(0).says(&["| helped"]);
}

#[test]
fn a_kernel_that_goes_on_is_not_made_to_crash() {
    let sleeps = "[trigger]\nexec = [\"/bin/sleep\", \"1000\"]\ntimeout = \"3s\"\n";
    let sleeps = format!("{sleeps}[expect]\noutcome = \"crash\"\n");
    let prints = format!("{}[expect]\noutcome = \"none\"\n", trigger("b"));
    let allowed = format!("{prints}allow = [\"its table is full\"]\n");
    let setup = "[setup]\nsysctls = { \"kernel.panic_on_oops\" = 0 }\n";
    // The task that oopsed has a lock that unloading needs.
    let goes_on = format!("{setup}{}[expect]\noutcome = \"none\"\nunload = false\n", trigger("c"));
    let own = repository(&[
        ("sleeps", &sleeps),
        ("prints", &prints),
        ("allowed", &allowed),
        ("goes-on", &goes_on),
    ]);
    own.repro("test sleeps").ends(100).says(&["did not end within 3s; the kernel is alive"]);
    own.repro("test prints").ends(100).says(&["BUG: poke: its table is full"]);
    own.repro("test allowed").ends(0);
    own.repro("test goes-on").ends(100).says(&["+ BUG: kernel NULL pointer dereference"]);
}

#[test]
fn a_refused_load_is_expected_by_its_words() {
    let parameter = "parameters = { mode = 2 }\n";
    let refused = |words: &str| {
        let expect = format!("[expect]\noutcome = \"refused\"\nmessage = \"{words}\"\n");
        format!("{parameter}{}{expect}", trigger("nothing"))
    };
    let own = repository(&[
        ("denied", &refused("Operation not permitted")),
        ("other", &refused("Exec format error")),
    ]);
    own.repro("test denied").ends(0).says(&["     Refused denied@", "1 as expected"]);
    own.repro("test other").ends(100).says(&["Operation not permitted"]);
}

#[test]
fn a_module_that_somebody_sent_is_run_without_a_case() {
    let crash = format!("{}[expect]\noutcome = \"crash\"\n", trigger("c"));
    let own = repository(&[("crash", &crash)]);
    own.repro("test crash").ends(0).says(&["`poke_set [poke]`"]);
    let built = own.path("target/repro/latest/crash--");
    let folder = fs::read_dir(built.parent().unwrap()).unwrap().flatten();
    let folder = folder.map(|entry| entry.path()).find(|path| path.is_dir()).unwrap();
    fs::create_dir(own.path("sent")).unwrap();
    fs::copy(folder.join("build/poke.ko"), own.path("sent/poke.ko")).unwrap();
    own.write("sent/poke.sh", "echo c > /sys/module/poke/parameters/poke\n");
    let ways = "--capture fast --boot snapshot";
    own.repro(&format!("run --module sent/poke.ko --trigger sent/poke.sh {ways}")).ends(0).says(&[
        "Reproduced poke@",
        "`poke_set [poke]`",
        "poke.c:",
    ]);
    own.repro("run crash --module sent/poke.ko --trigger true").ends(2).says(&["@GUEST"]);
}

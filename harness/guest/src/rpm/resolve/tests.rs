// SPDX-License-Identifier: MIT OR Apache-2.0
//! Metadata in the form of CentOS 7's: versioned provides, requirements of files in and outside of
//! primary.xml, several providers, packages for another machine, requirements of scripts.

use super::super::primary;
use super::*;

/// One package as createrepo writes it, with entries like `name`, `name EQ 0 1.0 2`, `pre:name`.
fn package(name: &str, evr: &str, provides: &[&str], requires: &[&str], files: &[&str]) -> String {
    let entries = |entries: &[&str]| {
        let one = |entry: &&str| {
            let pre = entry.strip_prefix("pre:");
            let attribute = if pre.is_some() { " pre=\"1\"" } else { "" };
            let entry = pre.unwrap_or(entry);
            let mut words = entry.split(' ');
            let name = words.next().unwrap();
            match words.collect::<Vec<_>>()[..] {
                [flags, epoch, version, release] => format!(
                    "<rpm:entry name=\"{name}\" flags=\"{flags}\" epoch=\"{epoch}\" \
                     ver=\"{version}\" rel=\"{release}\"{attribute}/>"
                ),
                [flags, epoch, version] => format!(
                    "<rpm:entry name=\"{name}\" flags=\"{flags}\" epoch=\"{epoch}\" \
                     ver=\"{version}\"{attribute}/>"
                ),
                _ => format!("<rpm:entry name=\"{entry}\"{attribute}/>"),
            }
        };
        entries.iter().map(one).collect::<String>()
    };
    let (version, release) = evr.split_once('-').unwrap();
    let arch = if name.ends_with(".i686") { "i686" } else { "x86_64" };
    let name = name.trim_end_matches(".i686");
    let files: String = files.iter().map(|file| format!("<file>{file}</file>")).collect();
    let checksum = format!("{:0>64}", name.len() * 1000 + evr.len());
    format!(
        "<package type=\"rpm\"><name>{name}</name><arch>{arch}</arch>\
         <version epoch=\"0\" ver=\"{version}\" rel=\"{release}\"/>\
         <checksum type=\"sha256\" pkgid=\"YES\">{checksum}</checksum>\
         <size package=\"10\" installed=\"20\" archive=\"30\"/>\
         <location href=\"Packages/{name}-{evr}.{arch}.rpm\"/><format>\
         <rpm:provides>{}</rpm:provides><rpm:requires>{}</rpm:requires>\
         <rpm:obsoletes><rpm:entry name=\"old-{name}\"/></rpm:obsoletes>{files}</format></package>",
        entries(provides),
        entries(requires)
    )
}

fn records(packages: &[String]) -> Vec<Record> {
    let text = format!("<metadata xmlns:rpm=\"r\">{}</metadata>", packages.concat());
    primary::parse(text.as_bytes(), "x86_64", 0).unwrap()
}

fn full_names(packages: &[String], wanted: &[&str]) -> Result<Vec<String>, String> {
    with_files(packages, wanted, &[])
}

/// `files` are those of filelists.xml: package and path.
fn with_files(
    packages: &[String],
    wanted: &[&str],
    files: &[(&str, &str)],
) -> Result<Vec<String>, String> {
    let records = records(packages);
    let records: Vec<&Record> = records.iter().collect();
    let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    let mut owners = |missing: &BTreeSet<String>| {
        let known = files.iter().filter(|(_, path)| missing.contains(*path));
        let of = |name: &str| records.iter().copied().find(|it| it.name() == name).unwrap();
        Ok(known.map(|(name, path)| (of(name), (*path).to_owned())).collect())
    };
    resolve(&records, &wanted, "os", &mut owners)
        .map(|chosen| chosen.iter().map(|it| it.full_name()).collect())
        .map_err(|error| error.to_string())
}

fn distribution() -> Vec<String> {
    vec![
        package("filesystem", "3.2-25.el7", &["filesystem EQ 0 3.2 25.el7"], &["setup"], &[]),
        package("setup", "2.8-11.el7", &["setup EQ 0 2.8 11.el7"], &[], &[]),
        package(
            "glibc",
            "2.17-317.el7",
            &["glibc EQ 0 2.17 317.el7", "libc.so.6()(64bit)", "libc.so.6(GLIBC_2.14)(64bit)"],
            &["pre:/sbin/ldconfig", "rpmlib(CompressedFileNames) LE 0 3.0.4 1"],
            &[],
        ),
        package(
            "glibc.i686",
            "2.17-317.el7",
            &["glibc EQ 0 2.17 317.el7", "libc.so.6", "libc.so.6()(64bit)"],
            &[],
            &[],
        ),
        package("glibc-headers", "2.17-317.el7", &[], &["kernel-headers GE 0 2.2.1"], &[]),
        package(
            "glibc-devel",
            "2.17-317.el7",
            &["glibc-devel EQ 0 2.17 317.el7"],
            &["glibc EQ 0 2.17 317.el7", "glibc-headers EQ 0 2.17 317.el7"],
            &[],
        ),
        package("kernel-headers", "3.10.0-1160.el7", &[], &[], &[]),
        package("kernel-headers", "3.10.0-1160.119.1.el7", &[], &[], &[]),
        package(
            "bash",
            "4.2-34.el7",
            &["bash EQ 0 4.2 34.el7", "config(bash)"],
            &["libc.so.6(GLIBC_2.14)(64bit)"],
            &["/bin/sh", "/bin/bash"],
        ),
        package("dash", "0.5-1.el7", &[], &[], &["/bin/sh"]),
        package("mksh-compat", "1-1.el7", &["shell"], &[], &[]),
        package(
            "gcc",
            "4.8.5-44.el7",
            &["gcc EQ 0 4.8.5 44.el7"],
            &["glibc-devel GE 0 2.2.90 12", "/bin/sh", "/usr/libexec/as-helper", "cpp EQ 0 4.8.5"],
            &["/usr/bin/gcc"],
        ),
        package("cpp", "4.8.5-44.el7", &["cpp EQ 0 4.8.5 44.el7"], &[], &[]),
        package("binutils", "2.27-44.el7", &[], &[], &["/usr/bin/as"]),
    ]
}

const HELPER: [(&str, &str); 1] = [("binutils", "/usr/libexec/as-helper")];

#[test]
fn a_compiler_brings_all_it_needs_and_nothing_else() {
    let found = with_files(&distribution(), &["filesystem", "bash", "gcc"], &HELPER).unwrap();
    assert_eq!(
        found,
        [
            "filesystem-3.2-25.el7.x86_64",
            "bash-4.2-34.el7.x86_64",
            "gcc-4.8.5-44.el7.x86_64",
            "binutils-2.27-44.el7.x86_64",
            "cpp-4.8.5-44.el7.x86_64",
            "glibc-2.17-317.el7.x86_64",
            "glibc-devel-2.17-317.el7.x86_64",
            "glibc-headers-2.17-317.el7.x86_64",
            "kernel-headers-3.10.0-1160.119.1.el7.x86_64",
            "setup-2.8-11.el7.x86_64",
        ]
    );
    let mut shuffled = distribution();
    shuffled.reverse();
    let again = with_files(&shuffled, &["filesystem", "bash", "gcc"], &HELPER).unwrap();
    assert_eq!(again, found, "the order of the metadata does not matter");
}

#[test]
fn a_file_is_asked_for_in_the_list_of_all_files_once_primary_does_not_have_it() {
    let message = full_names(&distribution(), &["gcc"]).unwrap_err();
    assert!(message.contains("/usr/libexec/as-helper"), "{message}");
    assert!(message.contains("gcc-4.8.5-44.el7.x86_64"), "{message}");
    assert_eq!(
        full_names(&distribution(), &["/usr/bin/as"]).unwrap(),
        ["binutils-2.27-44.el7.x86_64"]
    );
}

#[test]
fn of_several_providers_the_one_that_the_guest_names_is_taken_else_the_shortest_name() {
    let mut all = distribution();
    all.push(package("user", "1-1", &[], &["/bin/sh"], &[]));
    let found = full_names(&all, &["user"]).unwrap();
    assert!(found.contains(&"bash-4.2-34.el7.x86_64".to_owned()), "{found:?}");
    let found = full_names(&all, &["user", "dash"]).unwrap();
    assert_eq!(found, ["user-1-1.x86_64", "dash-0.5-1.el7.x86_64"]);
}

#[test]
fn a_bound_that_only_an_older_package_keeps_takes_that_one() {
    let mut all = distribution();
    all.push(package("old", "1-1", &[], &["kernel-headers LT 0 3.10.0 1160.100"], &[]));
    let found = full_names(&all, &["old"]).unwrap();
    assert_eq!(found[1], "kernel-headers-3.10.0-1160.el7.x86_64");
    all.push(package("none", "1-1", &[], &["kernel-headers LT 0 3"], &[]));
    let message = full_names(&all, &["none"]).unwrap_err();
    assert!(message.contains("kernel-headers < 3") && message.contains("none-1-1"), "{message}");
}

#[test]
fn boolean_dependencies_are_met() {
    let rich = |requires: &[&str]| {
        let mut all = distribution();
        let text = package("user", "1-1", &[], &[], &[]);
        let entries: String =
            requires.iter().map(|it| format!("<rpm:entry name=\"{it}\"/>")).collect();
        let new = format!("<rpm:requires>{entries}</rpm:requires>");
        all.push(text.replace("<rpm:requires></rpm:requires>", &new));
        full_names(&all, &["user"]).map(|names| {
            let short = |name: &String| name.split('-').next().unwrap().to_owned();
            names.iter().skip(1).map(short).collect::<Vec<_>>().join(" ")
        })
    };
    assert_eq!(rich(&["(nothing or cpp)"]).unwrap(), "cpp");
    assert_eq!(rich(&["cpp", "(setup if cpp)"]).unwrap(), "cpp setup");
    assert_eq!(rich(&["(setup if cpp)", "cpp"]).unwrap(), "cpp setup", "whatever comes first");
    assert_eq!(rich(&["(setup if binutils else cpp)"]).unwrap(), "cpp");
    assert_eq!(rich(&["(setup unless cpp)"]).unwrap(), "setup");
    assert_eq!(rich(&["(/bin/sh without config(bash))"]).unwrap(), "dash");
    assert_eq!(rich(&["(/bin/sh with config(bash))"]).unwrap(), "bash glibc");
    assert!(rich(&["(nothing or nobody)"]).unwrap_err().contains("nothing or nobody"));
}

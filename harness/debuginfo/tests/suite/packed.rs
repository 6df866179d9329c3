// SPDX-License-Identifier: MIT OR Apache-2.0
//! Debug information that `dwz` made smaller: partial units in the file itself, and a supplementary
//! file for what several files have in common.

use std::path::{Path, PathBuf};
use std::process::Command;

use debuginfo::{Error, Files, Image};

use crate::tools::{KERNEL, TEXT, Workshop, run, symbols};

/// Two units that share types and an inlined function, linked where a kernel lies.
fn kernel(shop: &Workshop, name: &str, options: &[&str]) -> PathBuf {
    let output = shop.path(name);
    let mut command = Command::new("ld");
    command.args(["-static", "--unresolved-symbols=ignore-all", "-e", "start_kernel"]);
    command.arg("--build-id=sha1").arg(format!("-Ttext={TEXT:#x}")).arg("-o").arg(&output);
    for source in ["code.c", "other.c"] {
        let options = [KERNEL, options, &["-c"]].concat();
        command.arg(shop.compile(source, &format!("{name}-{source}.o"), &options));
    }
    run(&mut command);
    output
}

/// What an image says of its functions and types, in words: numbers of entries differ.
fn words(image: &Image<'_>, file: &Path) -> String {
    use std::fmt::Write as _;
    let mut words = String::new();
    for (name, (address, size)) in symbols(file, "tT") {
        for pc in address..address + size {
            let frames = image.source(pc).found().expect("every byte of the fixture has a line");
            writeln!(words, "{name} {pc:#x} {frames:?}").unwrap();
            let locals = image.locals(pc).found().expect("every byte is in a function");
            for local in locals {
                let ty = image.declare(local.ty, &local.name);
                writeln!(words, "  {ty} {:?}", local.location).unwrap();
            }
        }
        let function = image.function(address).found().expect("it is a function");
        let parameters = function.parameters.iter();
        let parameters = parameters.map(|each| (each.name.clone(), image.type_name(each.ty)));
        let parameters: Vec<_> = parameters.collect();
        let result = image.type_name(function.result);
        writeln!(words, "{result} {} {parameters:?} {:?}", function.name, function.inlined)
            .unwrap();
    }
    for path in ["plain", "nested", "choice", "matrix", "kind", "words", "callback"] {
        let field = image.member("layout", path).found().expect("a member of the fixture");
        writeln!(words, "{path} {} {}", field.offset, image.type_name(Some(field.ty))).unwrap();
    }
    writeln!(words, "{:?}", image.enumerator("KIND_LARGE")).unwrap();
    let table = image.variable("table").found().expect("a variable of the fixture");
    words + &image.declare(Some(table.ty), "table")
}

/// How often a tag or form occurs, by `readelf`.
fn count(file: &Path, what: &str) -> usize {
    run(Command::new("readelf").arg("-wi").arg(file)).matches(what).count()
}

fn words_of(file: &Path, supplementary: Option<&Path>) -> String {
    let bytes = std::fs::read(file).unwrap();
    let more = supplementary.map(|path| std::fs::read(path).unwrap());
    let files = Files { supplementary: more.as_deref(), ..Files::from(&bytes) };
    let image = Image::kernel(files, 0).unwrap();
    assert_eq!(image.refused_debug_file(), None);
    words(&image, file)
}

#[test]
fn partial_units_of_the_same_file_answer_as_the_whole() {
    for dwarf in ["-gdwarf-4", "-gdwarf-5"] {
        let shop = Workshop::new();
        let file = kernel(&shop, "vmlinux", &[dwarf]);
        let whole = words_of(&file, None);
        assert!(whole.lines().count() > 100);
        run(Command::new("dwz").arg(&file));
        assert!(count(&file, "DW_TAG_partial_unit") > 0, "dwz found something in common");
        assert_eq!(words_of(&file, None), whole, "{dwarf}");
    }
}

#[test]
fn supplementary_file_answers_as_the_whole() {
    for (dwarf, more) in [("-gdwarf-4", &[][..]), ("-gdwarf-5", &[]), ("-gdwarf-5", &["--dwarf-5"])]
    {
        let shop = Workshop::new();
        let first = kernel(&shop, "vmlinux", &[dwarf]);
        let second = kernel(&shop, "second", &[dwarf, "-O1"]);
        let whole = words_of(&first, None);
        let common = shop.path("common.debug");
        run(Command::new("dwz").args(more).arg("-m").args([&common, &first, &second]));
        let moved = count(&common, "DW_TAG_structure_type");
        assert!(moved > 0, "dwz found something in common");
        assert_eq!(words_of(&first, Some(&common)), whole, "{dwarf} {more:?}");
    }
}

#[test]
fn missing_or_other_supplementary_file_is_named_and_the_rest_is_read() {
    let shop = Workshop::new();
    let files = ["vmlinux", "second"].map(|name| kernel(&shop, name, &[]));
    let common = shop.path("common.debug");
    run(Command::new("dwz").arg("-m").arg(&common).args(["-M", "../common.debug"]).args(&files));
    let bytes = std::fs::read(&files[0]).unwrap();
    let link = Image::kernel(&bytes, 0).unwrap().supplementary_link().map(|link| link.name);
    assert_eq!(link, Some("../common.debug"));

    let alone = Image::kernel(&bytes, 0).unwrap();
    let why = Error::NoSupplementaryFile("../common.debug".to_owned());
    assert_eq!(alone.refused_debug_file(), Some(&why));
    let start = alone.symbol("start_kernel").unwrap().address;
    assert!(alone.source(start).is_found(), "lines are in the file itself");
    let reason = alone.find_struct("layout").ok().unwrap_err().to_string();
    assert_eq!(reason, "layout was not found");

    // The other kernel is no supplementary file of this one.
    let other = std::fs::read(&files[1]).unwrap();
    let mixed = Image::kernel(Files { supplementary: Some(&other), ..Files::from(&bytes) }, 0);
    let mixed = mixed.unwrap();
    let refused = mixed.refused_debug_file();
    assert!(matches!(refused, Some(Error::OtherSupplementaryFile { .. })), "{refused:?}");
}

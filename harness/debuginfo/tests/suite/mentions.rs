// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names that no unit of a well-known function has, in a kernel without an index of names.

use std::path::{Path, PathBuf};
use std::process::Command;

use debuginfo::{Image, Lookup, Reason};

use crate::tools::{KERNEL, TEXT, Workshop, run};

/// A unit that declares a structure and one that defines it, linked where a kernel lies.
fn kernel(shop: &Workshop, options: &[&str]) -> PathBuf {
    let output = shop.path("vmlinux");
    let mut command = Command::new("ld");
    command.args(["-static", "-O2", "-e", "uses"]);
    command.arg(format!("-Ttext={TEXT:#x}")).arg("-o").arg(&output);
    for (name, define) in [("declared.o", "-DDECLARED"), ("private.o", "-DDEFINED")] {
        let options = [KERNEL, options, &[define, "-c"]].concat();
        command.arg(shop.compile("private.c", name, &options));
    }
    run(&mut command);
    output
}

fn check(file: &Path, which: &str) {
    let bytes = std::fs::read(file).unwrap();
    let image = Image::kernel(&bytes, 0).unwrap();
    for (name, size) in [("only_here", 24), ("fs", 4), ("not_only_here", 5)] {
        assert_eq!(image.size_of(name), Lookup::Found(size), "{which} {name}");
    }
    for name in ["tones", "only_word"] {
        assert!(image.find_type(name).is_found(), "{which} {name}");
        assert!(!image.find_struct(name).is_found(), "{which} {name}");
    }
    for (name, value) in [("TONE_LOW", 7), ("HI", 9)] {
        assert_eq!(image.enumerator(name), Lookup::Found(value), "{which} {name}");
    }
    let first = image.variable("first").found().unwrap();
    assert_eq!(image.type_name(Some(first.ty)), "struct only_here");
    // A name that is only the end of another, one of another sort of entry, one of an inner scope.
    for name in ["here", "_here", "first", "TONE_LOW", "numbers", "inside_a_function", ""] {
        let missing = Lookup::Unknown(Reason::NotFound(name.to_owned()));
        assert_eq!(image.find_type(name), missing, "{which} {name}");
        assert_eq!(image.find_type(name), missing, "{which} {name}, asked again");
    }
    let missing = Lookup::Unknown(Reason::NotFound("only_here".to_owned()));
    assert_eq!(image.enumerator("only_here"), missing, "{which}");
}

#[test]
fn units_that_mention_a_name_are_found() {
    for dwarf in ["-gdwarf-4", "-gdwarf-5"] {
        let shop = Workshop::new();
        let file = kernel(&shop, &[dwarf]);
        let functions = ["schedule", "start_kernel", "module_put"];
        let bytes = std::fs::read(&file).unwrap();
        let image = Image::kernel(&bytes, 0).unwrap();
        assert!(functions.iter().all(|function| image.symbol(function).is_none()));
        check(&file, dwarf);
        run(Command::new("dwz").arg(&file));
        check(&file, &format!("{dwarf}, made smaller by dwz"));
    }
}

#[test]
fn units_are_found_where_names_are_numbers_of_a_table() {
    // No compiler here writes them for a kernel; the table alone makes every unit asked.
    let shop = Workshop::new();
    let file = kernel(&shop, &["-gdwarf-5"]);
    let table = shop.path("table");
    std::fs::write(&table, [0_u8; 8]).unwrap();
    let add = format!(".debug_str_offsets={}", table.display());
    run(Command::new("objcopy").arg("--add-section").arg(add).arg(&file));
    check(&file, "with .debug_str_offsets");
}

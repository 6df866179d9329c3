// SPDX-License-Identifier: MIT OR Apache-2.0
//! Types: offsets, sizes and bits equal what the compiler itself uses.

use std::process::Command;

use debuginfo::{Encoding, Image, Lookup, Reason, Type, TypeId};

use crate::tools::{KERNEL, Workshop, run};

/// What the compiler uses: lines of kind, name, two numbers.
fn truth(shop: &Workshop) -> Vec<(String, String, i64, i64)> {
    let program = shop.compile("layout.c", "layout", &[]);
    let output = run(&mut Command::new(program));
    let line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [kind, name, first, second] = fields[..] else { panic!("four fields: {line}") };
        (kind.to_owned(), name.to_owned(), first.parse().unwrap(), second.parse().unwrap())
    };
    output.lines().map(line).collect()
}

fn same_as_compiler(shop: &Workshop, image: &Image<'_>, leave_out: &str) {
    let truth = truth(shop);
    assert!(truth.len() > 25);
    let truth = truth
        .into_iter()
        .filter(|(_, name, ..)| leave_out.is_empty() || !name.starts_with(leave_out));
    for (kind, name, first, second) in truth {
        let (found, expected) = match kind.as_str() {
            "size" => (image.size_of(&name).map(|size| (size.cast_signed(), 0)), (first, 0)),
            "enumerator" => (image.enumerator(&name).map(|value| (value, 0)), (first, 0)),
            "field" => {
                let field = image.member("layout", &name);
                let numbers = field.map(|field| {
                    assert_eq!(field.bits, None);
                    (field.offset.cast_signed(), field.size.cast_signed())
                });
                (numbers, (first, second))
            }
            _ => {
                let field = image.member("layout", &name).map(|field| {
                    let (low, size) = field.bits.expect("a bit-field has bits");
                    (field.offset.cast_signed() * 8 + i64::from(low), i64::from(size))
                });
                (field, (first, second))
            }
        };
        assert_eq!(found, Lookup::Found(expected), "{kind} {name}");
    }
}

/// Every form of the fixture's types is spelled as in its source.
fn same_spelling(image: &Image<'_>) {
    let spell =
        |path: &str| image.type_name(Some(image.member("layout", path).found().unwrap().ty));
    assert_eq!(spell("plain"), "long int");
    assert_eq!(spell("nested"), "struct inner");
    assert_eq!(spell("choice"), "union either");
    assert_eq!(spell("matrix"), "int [3][5]");
    assert_eq!(spell("kind"), "enum kind");
    assert_eq!(spell("words"), "word_pointer");
    assert_eq!(spell("changing"), "volatile int");
    assert_eq!(spell("name"), "const char *const");
    assert_eq!(spell("opaque"), "struct declared_only *");
    assert_eq!(spell("flexible"), "short unsigned int []");
    let callback = spell("callback");
    assert_eq!(callback, "int (*)(struct layout *, enum kind, ...)");
    assert_eq!(image.type_name(None), "void");
}

fn plain_type(image: &Image<'_>, path: &str) -> (TypeId, Type) {
    image.resolve(image.member("layout", path).found().unwrap().ty).found().unwrap()
}

/// Forms that need more than an offset.
fn same_forms(image: &Image<'_>) {
    let Type::Base { encoding, size, .. } = plain_type(image, "flag").1 else { panic!() };
    assert_eq!((encoding, size), (Encoding::Bool, 1));
    let Type::Base { encoding, .. } = plain_type(image, "small").1 else { panic!() };
    assert!(matches!(encoding, Encoding::SignedChar | Encoding::Signed));
    let Type::Array { count, .. } = plain_type(image, "flexible").1 else { panic!() };
    assert_eq!(count, None);
    let (_, words) = plain_type(image, "words");
    let Type::Pointer { target: Some(word) } = words else { panic!("a pointer") };
    assert_eq!(image.type_name(Some(word)), "const word");
    let Type::Struct { name, declaration, size, .. } = opaque(image) else { panic!("a structure") };
    assert_eq!((name.as_deref(), declaration, size), (Some("declared_only"), true, 0));
    let word = image.find_type("word").found().unwrap();
    assert_eq!(image.type_size(word), Lookup::Found(8));
    let kind = image.find_type("kind").found().unwrap();
    let Type::Enum { enumerators, size, .. } = image.type_of(kind).found().unwrap() else {
        panic!()
    };
    assert_eq!((enumerators.len(), size), (4, 4));
    assert!(!image.find_struct("word").is_found(), "a typedef is no structure");
    assert_eq!(
        image.find_struct("nowhere"),
        Lookup::Unknown(Reason::NotFound("nowhere".to_owned()))
    );
    assert_eq!(
        image.member("layout", "nested.third"),
        Lookup::Unknown(Reason::NotFound("layout.nested.third".to_owned()))
    );
}

fn opaque(image: &Image<'_>) -> Type {
    let (_, pointer) = plain_type(image, "opaque");
    let Type::Pointer { target: Some(target) } = pointer else { panic!("a pointer") };
    image.type_of(target).found().unwrap()
}

const PATHS: &[&str] = &[
    "matrix[2][4]",
    "plain",
    "nested.second",
    "anonymous_first",
    "anonymous_short",
    "list[3].second",
    "choice.number",
    "callback",
    "opaque",
];

/// From an offset back to the path that leads to it.
fn same_paths(image: &Image<'_>, paths: &[&str]) {
    let layout = image.find_struct("layout").found().unwrap();
    for &path in paths {
        let field = image.member("layout", path).found().unwrap();
        let back = image.paths_at(layout, field.offset).remove(0);
        assert_eq!((back.to_string().as_str(), back.field()), (path, Some(&field)));
        // From the middle of the member, too.
        let back = image.paths_at(layout, field.offset + field.size - 1).remove(0);
        let offset = back.field().map(|field| field.offset);
        assert_eq!((back.to_string().as_str(), offset), (path, Some(field.offset)));
    }
}

/// Each member of a union covers its bytes, in the order of their declaration; behind the shorter one
/// only the longer one does, and behind the end none.
fn members_of_unions(image: &Image<'_>) {
    let layout = image.find_struct("layout").found().unwrap();
    let choice = image.member("layout", "choice").found().unwrap();
    let at = |offset: u64| -> Vec<String> {
        image.paths_at(layout, choice.offset + offset).iter().map(ToString::to_string).collect()
    };
    assert_eq!(at(0), ["choice.number", "choice.bytes[0]"]);
    assert_eq!(at(15), ["choice.bytes[15]"]);
    let inner = image.find_struct("inner").found().unwrap();
    let end = image.size_of("inner").found().unwrap();
    assert!(image.paths_at(inner, end).is_empty());
}

fn check(options: &[&str]) {
    let shop = Workshop::new();
    let bytes = std::fs::read(shop.kernel("kernel", options)).unwrap();
    let module = shop.compile("code.c", "module.o", &[KERNEL, options, &["-c"]].concat());
    let module = std::fs::read(module).unwrap();
    for image in [
        Image::kernel(&bytes, 0).unwrap(),
        Image::module(&module, &std::collections::BTreeMap::new()).unwrap(),
    ] {
        same_as_compiler(&shop, &image, "");
        same_spelling(&image);
        same_forms(&image);
        same_paths(&image, PATHS);
        members_of_unions(&image);
    }
}

#[test]
fn dwarf_5_types_equal_the_compilers() {
    check(&["-gdwarf-5"]);
}

#[test]
fn dwarf_4_types_equal_the_compilers() {
    check(&["-gdwarf-4"]);
}

/// gcc 4.8 counts bit-fields from the highest bit of their storage.
#[test]
fn old_bit_fields_equal_the_compilers() {
    check(&["-gdwarf-2", "-gstrict-dwarf"]);
}

/// A kernel with BTF and without DWARF; gcc writes BTF since version 12.
#[test]
fn btf_types_equal_the_compilers() {
    let shop = Workshop::new();
    let bytes = std::fs::read(shop.kernel("kernel", &["-g0", "-gbtf"])).unwrap();
    let image = Image::kernel(&bytes, 0).unwrap();
    // gcc 12 writes the dimensions of an array in the wrong order; pahole, which makes the kernel's
    // BTF, does not.
    same_as_compiler(&shop, &image, "matrix");
    same_forms(&image);
    same_paths(&image, &PATHS[1..]);
    members_of_unions(&image);
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Kinds of types that the host's gcc does not write, in hand-made sections.

use super::{Btf, Index};
use crate::dwarf::Wanted;
use crate::types::Store;
use crate::{Encoding, Enumerator, Member, Qualifier, Reason, Type, TypeId};

const INT: u32 = 1;
const POINTER: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const ENUM: u32 = 6;
const FORWARD: u32 = 7;
const FUNCTION: u32 = 12;
const PROTOTYPE: u32 = 13;
const VARIABLE: u32 = 14;
const SECTION: u32 = 15;
const FLOAT: u32 = 16;
const DECLARATION_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

/// Writes a `.BTF` section.
#[derive(Default)]
struct Writer {
    types: Vec<u32>,
    strings: Vec<u8>,
    count: u32,
}

impl Writer {
    fn new() -> Self {
        Self { strings: vec![0], ..Self::default() }
    }

    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let offset = u32::try_from(self.strings.len()).unwrap();
        self.strings.extend(name.bytes().chain([0]));
        offset
    }

    /// Appends a type and gives its number. `words` follow the common part.
    fn add(&mut self, kind: u32, flag: bool, name: &str, size_or_type: u32, words: &[u32]) -> u32 {
        let count = match kind {
            STRUCT | SECTION | ENUM64 => words.len() / 3,
            ENUM | PROTOTYPE => words.len() / 2,
            _ => 0,
        };
        let count = u32::try_from(count).unwrap();
        let name = self.name(name);
        self.types.extend([name, u32::from(flag) << 31 | kind << 24 | count, size_or_type]);
        self.types.extend(words);
        self.count += 1;
        self.count
    }

    fn finish(&self) -> Vec<u8> {
        let types = self.types.iter().flat_map(|word| word.to_le_bytes());
        let length = u32::try_from(self.types.len() * 4).unwrap();
        let strings = u32::try_from(self.strings.len()).unwrap();
        let header = [24, 0, length, length, strings];
        let mut bytes = vec![0x9f, 0xeb, 1, 0];
        bytes.extend(header.iter().flat_map(|word: &u32| word.to_le_bytes()));
        bytes.extend(types);
        bytes.extend(&self.strings);
        bytes
    }
}

fn id(number: u32) -> TypeId {
    TypeId(Store::Btf(number))
}

/// Before 5.0 a bit-field was an integer type with an odd size, at an offset of its own.
#[test]
fn bit_fields_from_before_5_0_have_odd_integers() {
    let mut writer = Writer::new();
    let whole = writer.add(INT, false, "unsigned int", 4, &[32]);
    let odd = writer.add(INT, false, "unsigned int", 4, &[3 << 16 | 5]);
    let (first, second) = (writer.name("first"), writer.name("second"));
    let members = [first, whole, 0, second, odd, 32];
    let number = writer.add(STRUCT, false, "old", 8, &members);
    let bytes = writer.finish();
    let index = Index::new(&bytes).unwrap();
    let btf = Btf::new(&bytes, &index).unwrap();
    let Type::Struct { members, .. } = btf.type_of(number).unwrap() else { panic!() };
    let member = |name: &str, offset, bits, ty| Member {
        name: Some(name.to_owned()),
        offset,
        bits,
        ty: id(ty),
    };
    assert_eq!(members, [member("first", 0, None, whole), member("second", 4, Some((3, 5)), odd)]);
}

/// A damaged size, 2^32 − 1 bytes, of the integer that a member has as its type.
#[test]
fn size_of_an_integer_that_no_machine_has_is_survived() {
    let mut writer = Writer::new();
    let huge = writer.add(INT, false, "huge", u32::MAX, &[32]);
    let name = writer.name("member");
    let number = writer.add(STRUCT, false, "damaged", 8, &[name, huge, 0]);
    let bytes = writer.finish();
    let index = Index::new(&bytes).unwrap();
    let btf = Btf::new(&bytes, &index).unwrap();
    assert!(matches!(btf.type_of(number), Ok(Type::Struct { .. })));
}

#[test]
fn enumerations_tell_their_signs() {
    let mut writer = Writer::new();
    let names: Vec<u32> = ["minus", "large", "wide"].map(|name| writer.name(name)).into();
    let minus = writer.add(ENUM, true, "signed", 4, &[names[0], u32::MAX]);
    let large = writer.add(ENUM, false, "unsigned", 4, &[names[1], u32::MAX]);
    let wide = writer.add(ENUM64, false, "wider", 8, &[names[2], 1, 2]);
    let bytes = writer.finish();
    let index = Index::new(&bytes).unwrap();
    let btf = Btf::new(&bytes, &index).unwrap();
    let values = |number| match btf.type_of(number).unwrap() {
        Type::Enum { enumerators, .. } => enumerators,
        other => panic!("{other:?}"),
    };
    let one = |name: &str, value| [Enumerator { name: name.to_owned(), value }];
    assert_eq!(values(minus), one("minus", -1));
    assert_eq!(values(large), one("large", 0xffff_ffff));
    assert_eq!(values(wide), one("wide", 0x2_0000_0001));
    assert_eq!(btf.enumerator("wide"), Ok(0x2_0000_0001));
    assert_eq!(btf.enumerator("wid"), Err(Reason::NotFound("wid".to_owned())));
}

/// Without a flag anywhere the writer did not know it, and all values are signed.
#[test]
fn enumerations_of_old_writers_are_signed() {
    let mut writer = Writer::new();
    let name = writer.name("minus");
    writer.add(ENUM, false, "old", 4, &[name, u32::MAX - 2]);
    let bytes = writer.finish();
    let index = Index::new(&bytes).unwrap();
    assert_eq!(Btf::new(&bytes, &index).unwrap().enumerator("minus"), Ok(-3));
}

#[test]
fn other_kinds_are_read_or_stepped_over() {
    let mut writer = Writer::new();
    let int = writer.add(INT, false, "int", 4, &[1 << 24 | 32]);
    let float = writer.add(FLOAT, false, "double", 8, &[]);
    let prototype = writer.add(PROTOTYPE, false, "", int, &[0, int, 0, 0]);
    let function = writer.add(FUNCTION, false, "function", prototype, &[]);
    let variable = writer.add(VARIABLE, false, "per_cpu", int, &[1]);
    writer.add(SECTION, false, ".data..percpu", 4, &[variable, 0, 4]);
    writer.add(DECLARATION_TAG, false, "tag", function, &[u32::MAX]);
    let user = writer.add(TYPE_TAG, false, "user", int, &[]);
    let pointer = writer.add(POINTER, false, "", user, &[]);
    let array = writer.add(ARRAY, false, "", 0, &[int, int, 7]);
    let forward = writer.add(FORWARD, true, "only_declared", 0, &[]);
    let bytes = writer.finish();
    let index = Index::new(&bytes).unwrap();
    let btf = Btf::new(&bytes, &index).unwrap();
    let base =
        |name: &str, size, encoding| Ok(Type::Base { name: name.to_owned(), size, encoding });
    assert_eq!(btf.type_of(int), base("int", 4, Encoding::Signed));
    assert_eq!(btf.type_of(float), base("double", 8, Encoding::Other));
    assert_eq!(
        btf.type_of(prototype),
        Ok(Type::Function {
            result: Some(id(int)),
            parameters: vec![Some(id(int))],
            variadic: true
        })
    );
    assert_eq!(
        btf.type_of(user),
        Ok(Type::Qualified { qualifier: Qualifier::Tag, target: Some(id(int)) })
    );
    assert_eq!(btf.type_of(pointer), Ok(Type::Pointer { target: Some(id(user)) }));
    assert_eq!(btf.type_of(array), Ok(Type::Array { element: id(int), count: Some(7) }));
    let Ok(Type::Struct { declaration: true, union: true, .. }) = btf.type_of(forward) else {
        panic!("a declaration of a union")
    };
    let found = btf.find("per_cpu", Wanted::Variable).unwrap();
    assert_eq!(btf.variable_type(found), Some(id(int)));
    assert!(btf.type_of(function).is_err() && btf.type_of(0).is_err() && btf.type_of(99).is_err());
    assert_eq!(
        btf.find("only_declared", Wanted::Struct),
        Err(Reason::NotFound("only_declared".into()))
    );
}

#[test]
fn what_is_no_btf_is_refused() {
    let good = {
        let mut writer = Writer::new();
        writer.add(INT, false, "int", 4, &[32]);
        writer.finish()
    };
    assert!(Index::new(&good).is_ok());
    for length in 0..good.len() {
        assert!(Index::new(&good[..length]).is_err(), "cut at {length}");
    }
    let mut unknown = good.clone();
    unknown[24 + 7] = 0x1f;
    assert_eq!(
        Index::new(&unknown).err(),
        Some(Reason::Malformed { what: ".BTF type", offset: 0 })
    );
}

/// A dump without its `vmlinux`: types come from the kernel's memory, and nothing else does.
#[test]
fn image_of_types_alone() {
    let mut writer = Writer::new();
    let word = writer.add(INT, false, "unsigned long", 8, &[64]);
    let (state, stack) = (writer.name("state"), writer.name("stack"));
    writer.add(STRUCT, false, "task_struct", 16, &[state, word, 0, stack, word, 64]);
    let image = crate::Image::types(writer.finish()).unwrap();
    assert_eq!(image.size_of("task_struct").found(), Some(16));
    assert_eq!(image.member("task_struct", "stack").found().map(|field| field.offset), Some(8));
    assert_eq!((image.symbol("init_task"), image.build_id()), (None, None));
    assert!(crate::Image::types(b"no BTF".to_vec()).is_err());
}

// SPDX-License-Identifier: MIT OR Apache-2.0
//! Functions, their parameters, and where values are.

use debuginfo::{Function, Image, Location, Lookup, SymbolKind};

use crate::tools::{Workshop, addr2line, symbols};

/// DWARF numbers of the registers that carry the first arguments (System V ABI).
const RDI: u16 = 5;
const RSI: u16 = 4;

struct Fixture {
    shop: Workshop,
    file: std::path::PathBuf,
    bytes: Vec<u8>,
}

impl Fixture {
    fn new(options: &[&str]) -> Self {
        let shop = Workshop::new();
        let file = shop.kernel("kernel", options);
        let bytes = std::fs::read(&file).unwrap();
        Self { shop, file, bytes }
    }

    fn image(&self) -> Image<'_> {
        assert!(self.shop.path("kernel").exists());
        Image::kernel(&self.bytes, 0).unwrap()
    }
}

fn function(image: &Image<'_>, name: &str) -> Function {
    let symbol = image.symbol(name).expect("the fixture has the function");
    assert_eq!(symbol.kind, SymbolKind::Function);
    image.function(symbol.address).found().unwrap()
}

#[test]
fn parameters_have_names_and_types() {
    for dwarf in ["-gdwarf-4", "-gdwarf-5"] {
        let fixture = Fixture::new(&[dwarf]);
        let image = fixture.image();
        let through = function(&image, "call_through");
        let parameters: Vec<_> = through
            .parameters
            .iter()
            .map(|each| (each.name.as_deref().unwrap(), image.type_name(each.ty)))
            .collect();
        assert_eq!(
            parameters,
            [("ops", "struct operations *".to_owned()), ("where", "struct layout *".to_owned())]
        );
        assert_eq!(image.type_name(through.result), "int");
        assert!(!through.variadic);
        assert!(function(&image, "variadic").variadic);
        assert!(image.variable_near(through.low_pc, "table").is_found());
    }
}

/// `always_three` is a constant to gcc: its clone has a symbol with a suffix, maybe lacks the
/// parameter, and still has the name and the parameters of the source.
#[test]
fn specialised_clone_keeps_the_parameters_of_the_source() {
    let fixture = Fixture::new(&[]);
    let image = fixture.image();
    let all = symbols(&fixture.file, "t");
    let (symbol, &(address, _)) =
        all.iter().find(|(name, _)| name.starts_with("specialised.")).expect("gcc makes a clone");
    assert_eq!(&image.symbol_at(address).unwrap().name, symbol);
    let clone = image.function(address).found().unwrap();
    assert_eq!(clone.name, "specialised");
    let names: Vec<_> = clone.parameters.iter().map(|each| each.name.as_deref()).collect();
    assert_eq!(names, [Some("where"), Some("always_three"), Some("flags")]);
    assert_eq!(image.parameter_location(address, 1), Lookup::Found(Location::Constant(3)));
}

/// The `.cold` part is a range of its own, far from the function, and belongs to it.
#[test]
fn cold_part_belongs_to_its_function() {
    let fixture = Fixture::new(&[]);
    let image = fixture.image();
    let cold = image.symbol("with_cold_part.cold").expect("gcc splits the function");
    let hot = image.symbol("with_cold_part").unwrap();
    for address in [cold.address, cold.address + cold.size - 1, hot.address] {
        let found = image.function(address).found().unwrap();
        assert_eq!((found.name.as_str(), found.low_pc), ("with_cold_part", hot.address));
        assert_eq!(
            found.ranges,
            [hot.address..hot.address + hot.size, cold.address..cold.address + cold.size]
        );
    }
}

/// At every address, the inlined instances that cover it are the frames that addr2line prints.
#[test]
fn inlined_instances_are_the_frames_of_addr2line() {
    let fixture = Fixture::new(&[]);
    let image = fixture.image();
    let function = function(&image, "with_cold_part");
    let addresses: Vec<u64> = function.ranges.iter().cloned().flatten().collect();
    for (&address, frames) in addresses.iter().zip(addr2line(&fixture.file, &[], &addresses)) {
        let covering = |inlined: &&debuginfo::Inlined| {
            inlined.ranges.iter().any(|range| range.contains(&address))
        };
        let names: Vec<&str> =
            function.inlined.iter().filter(covering).map(|each| each.name.as_str()).collect();
        let expected: Vec<&str> =
            frames.iter().rev().skip(1).map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "{address:#x}");
        let last = function.inlined.iter().rfind(covering);
        let end = |it: &debuginfo::Inlined| it.ranges.iter().map(|range| range.end).max();
        let instance = image.instance(address).found();
        let found = instance.as_ref().map(|it| (it.name.as_str(), Some(it.end)));
        assert_eq!(found, last.map(|it| (it.name.as_str(), end(it))), "{address:#x}");
        let result = instance.map(|it| image.type_name(it.result));
        assert!(result.is_none_or(|result| result == "long int"), "{address:#x}");
    }
}

#[test]
fn arguments_are_in_their_registers_at_the_entry() {
    for dwarf in ["-gdwarf-4", "-gdwarf-5"] {
        let fixture = Fixture::new(&[dwarf]);
        let image = fixture.image();
        let entry = function(&image, "call_through").low_pc;
        assert_eq!(image.parameter_location(entry, 0), Lookup::Found(Location::Register(RDI)));
        assert_eq!(image.parameter_location(entry, 1), Lookup::Found(Location::Register(RSI)));
        assert!(!image.parameter_location(entry, 2).is_found());
    }
}

/// At the last byte of the function the calls have overwritten rdi, and `ops` was kept nowhere.
#[test]
fn argument_that_was_overwritten_is_an_entry_value() {
    let fixture = Fixture::new(&["-gdwarf-5"]);
    let image = fixture.image();
    let function = function(&image, "call_through");
    let last = function.ranges[0].end - 1;
    assert_eq!(image.parameter_location(last, 0), Lookup::Found(Location::EntryValue(RDI)));
}

/// Without optimisation everything lives in the frame: below the return address, so at a
/// negative distance from the frame address.
#[test]
fn unoptimised_values_are_in_the_frame() {
    let fixture = Fixture::new(&["-O0"]);
    let image = fixture.image();
    let middle = function(&image, "call_through").low_pc + 12;
    let locals = image.locals(middle).found().unwrap();
    let names: Vec<_> = locals.iter().map(|local| (local.name.as_str(), local.parameter)).collect();
    assert_eq!(names, [("ops", true), ("where", true), ("first", false), ("second", false)]);
    for local in &locals {
        assert!(matches!(local.location, Location::Cfa(offset) if offset < -8), "{local:?}");
    }
}

#[test]
fn locals_of_inlined_calls_name_their_function() {
    let fixture = Fixture::new(&[]);
    let image = fixture.image();
    let function = function(&image, "with_cold_part");
    let deep = function.inlined.iter().find(|inlined| inlined.name == "innermost").unwrap();
    assert_eq!(deep.depth, 2);
    let locals = image.locals(deep.ranges[0].start).found().unwrap();
    let owner = |name: &str| {
        let found: Vec<_> = locals
            .iter()
            .filter(|local| local.name == name)
            .map(|local| (local.function.as_str(), local.depth))
            .collect();
        found
    };
    assert_eq!(owner("flags"), [("with_cold_part", 0)]);
    assert_eq!(owner("sum"), [("middle", 1)]);
    assert_eq!(owner("add"), [("innermost", 2)]);
    assert_eq!(owner("where"), [("with_cold_part", 0), ("middle", 1), ("innermost", 2)]);
    let calls = locals.iter().find(|local| local.name == "calls").unwrap();
    let symbols = symbols(&fixture.file, "b");
    let (_, &(address, _)) = symbols.iter().find(|(name, _)| name.starts_with("calls.")).unwrap();
    assert_eq!(calls.location, Location::Address(address));
}

/// A pointer into the frame is the frame address plus an offset, that of a member is a register plus
/// the member's offset; neither is stored anywhere.
#[test]
fn computed_addresses_are_told_from_stored_ones() {
    let fixture = Fixture::new(&["-gdwarf-5"]);
    let image = fixture.image();
    let function = function(&image, "addresses");
    let nested = image.member("layout", "nested").found().unwrap().offset.cast_signed();
    let mut found = Vec::new();
    for address in function.ranges.iter().cloned().flatten() {
        let locals = image.locals(address).found().unwrap();
        let place = |name: &str| locals.iter().find(|local| local.name == name).map(|l| l.location);
        match (place("part"), place("here")) {
            (Some(Location::CfaPlus(part)), Some(Location::Cfa(here))) => {
                assert_eq!(part, here, "{address:#x}");
                assert!(here < -8);
                found.push("frame");
            }
            (Some(Location::RegisterPlus { offset, .. }), _) => {
                assert_eq!(offset, nested, "{address:#x}");
                found.push("member");
            }
            _ => {}
        }
    }
    assert!(found.contains(&"frame") && found.contains(&"member"), "{found:?}");
}

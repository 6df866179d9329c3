// SPDX-License-Identifier: MIT OR Apache-2.0
//! What names stand for.

use debuginfo::{Encoding, Image, Symbol, SymbolKind, Type, TypeId};

use super::ty::Base;
use super::{Error, Shape, Ty, TypeName, Value, World, number, parser};

/// The value that a name stands for: a variable, else an enumerator, else a function.
pub(super) fn value<'w>(
    world: &'w dyn World,
    name: &str,
    cpu: Option<u32>,
) -> Result<Value<'w>, Error> {
    for image in world.images() {
        if let Some(symbol) = image.symbol(name) {
            return of_symbol(world, image, &symbol, cpu);
        }
    }
    if cpu.is_none() {
        for image in world.images() {
            if let Some(value) = image.enumerator(name).found() {
                let int = i32::try_from(value).is_ok();
                let ty = if int { Ty::INT } else { Ty::LONG };
                return Ok(Value::number(value.cast_unsigned(), ty));
            }
        }
    }
    if number::is_bare_address(name)
        && let Some(address) = number::address(name)
    {
        return Ok(Value::number(address, Ty::UNSIGNED_LONG));
    }
    let address = world.symbol(name).ok_or_else(|| Error::NoSymbol(name.to_owned()))?;
    let reason = "no debug information".to_owned();
    Err(Error::Untyped { name: name.to_owned(), address, reason })
}

fn of_symbol<'w>(
    world: &'w dyn World,
    image: &'w Image<'w>,
    symbol: &Symbol,
    cpu: Option<u32>,
) -> Result<Value<'w>, Error> {
    let name = || symbol.name.clone();
    let address = match (symbol.kind, cpu) {
        (SymbolKind::PerCpu, None) => return Err(Error::PerCpu(name())),
        (SymbolKind::PerCpu, Some(cpu)) => {
            let failed = |why| Error::Memory { what: format!("CPU {cpu}'s offset"), why };
            symbol.address.wrapping_add(world.per_cpu_offset(cpu).map_err(failed)?)
        }
        (_, Some(_)) => return Err(Error::NotPerCpu(name())),
        (_, None) => symbol.address,
    };
    if symbol.kind == SymbolKind::Function {
        return Ok(Value::at(address, Ty::VOID));
    }
    match image.variable(&symbol.name).ok() {
        Ok(variable) => Ok(Value::at(address, complete(world, image, variable.ty, symbol.size))),
        Err(reason) => Err(Error::Untyped { name: name(), address, reason: reason.to_string() }),
    }
}

/// The type of a variable. `extern char banner[]` leaves the number of elements to the symbol.
fn complete<'w>(world: &'w dyn World, image: &'w Image<'w>, id: TypeId, size: u64) -> Ty<'w> {
    let ty = Ty::known(image, id);
    if let Ok(Shape::Array(element, None)) = ty.shape(world)
        && let Some(count) = element.size(world).ok().and_then(|one| size.checked_div(one))
    {
        return Ty::Array(Box::new(element), count);
    }
    ty
}

/// Type of a per-CPU variable, and what to add a CPU's offset to; `None` for other variables.
pub(super) fn per_cpu<'w>(world: &'w dyn World, name: &str) -> Option<(Ty<'w>, u64)> {
    let (image, symbol) = world
        .images()
        .into_iter()
        .find_map(|image| Some((image, image.symbol(name)?)))
        .filter(|(_, symbol)| symbol.kind == SymbolKind::PerCpu)?;
    let variable = image.variable(name).found()?;
    Some((Ty::known(image, variable.ty), symbol.address))
}

/// Declaration of a function.
pub(super) fn prototype(world: &dyn World, name: &str) -> Option<String> {
    let find = |image| Image::symbol(image, name).map(|symbol| (image, symbol));
    let (image, symbol) = world.images().into_iter().find_map(find)?;
    if symbol.kind != SymbolKind::Function {
        return None;
    }
    let function = image.function(symbol.address).found()?;
    let parameters: Vec<String> = function
        .parameters
        .iter()
        .map(|parameter| image.declare(parameter.ty, parameter.name.as_deref().unwrap_or_default()))
        .collect();
    let list = if parameters.is_empty() { "void".to_owned() } else { parameters.join(", ") };
    Some(format!("{};", image.declare(function.result, &format!("{name}({list})"))))
}

/// Whether a name is a type and nothing else.
pub(super) fn is_type(world: &dyn World, name: &str) -> bool {
    let images = world.images();
    images.iter().all(|image| image.symbol(name).is_none())
        && images.iter().any(|image| image.find_type(name).is_found())
}

/// The type that a cast names.
pub(super) fn ty<'w>(world: &'w dyn World, name: &TypeName) -> Result<Ty<'w>, Error> {
    let mut ty = match builtin(name) {
        Some(base) => Ty::Base(base),
        None => named(world, name)?,
    };
    for _ in 0..name.pointers {
        ty = ty.pointer();
    }
    for count in name.dimensions.iter().rev() {
        ty = Ty::Array(Box::new(ty), *count);
    }
    Ok(ty)
}

/// The type that a text names, such as `struct list_head` or `akfs_operation_t *`.
pub(super) fn ty_of<'w>(world: &'w dyn World, text: &str) -> Result<Ty<'w>, Error> {
    ty(world, &parser::type_name(text)?)
}

fn named<'w>(world: &'w dyn World, name: &TypeName) -> Result<Ty<'w>, Error> {
    let tag = name.keyword.as_deref();
    let fits = |image: &Image<'_>, id: TypeId| match (tag, image.type_of(id).found()) {
        (Some("enum"), found) => matches!(found, Some(Type::Enum { .. })),
        (_, found) => found.is_some(),
    };
    for image in world.images() {
        // `struct foo_t` for a typedef is no C, but what `crash` takes and people type.
        let by_tag = matches!(tag, Some("struct" | "union")).then(|| image.find_struct(&name.name));
        let id = by_tag.and_then(debuginfo::Lookup::found);
        let id = id.or_else(|| image.find_type(&name.name).found());
        if let Some(id) = id.filter(|id| fits(image, *id)) {
            return Ok(Ty::known(image, id));
        }
    }
    Err(Error::NoType(name.to_string()))
}

/// Types that C has without any debug information.
fn builtin(name: &TypeName) -> Option<Base<'static>> {
    if name.keyword.is_some() {
        return None;
    }
    let number = |word, size, encoding| Some(Base::Number(word, size, encoding));
    match name.name.as_str() {
        "void" => Some(Base::Void),
        "_Bool" => number("_Bool", 1, Encoding::Bool),
        "char" => number("char", 1, Encoding::SignedChar),
        "signed char" => number("signed char", 1, Encoding::SignedChar),
        "unsigned char" => number("unsigned char", 1, Encoding::UnsignedChar),
        "short int" => number("short", 2, Encoding::Signed),
        "short unsigned int" => number("unsigned short", 2, Encoding::Unsigned),
        "int" => number("int", 4, Encoding::Signed),
        "unsigned int" => number("unsigned int", 4, Encoding::Unsigned),
        "long int" => number("long", 8, Encoding::Signed),
        "long unsigned int" => number("unsigned long", 8, Encoding::Unsigned),
        "long long int" => number("long long", 8, Encoding::Signed),
        "long long unsigned int" => number("unsigned long long", 8, Encoding::Unsigned),
        _ => None,
    }
}

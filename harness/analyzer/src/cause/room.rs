// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much a function of the C library was to write, and how much room there is, as the compiler knew it
//! (`CONFIG_FORTIFY_SOURCE`).

use debuginfo::{Local, Location};

use crate::diagnosis::Room;
use crate::express::Writer;
use crate::scene::Scene;

/// Names that the checks have for both numbers (`include/linux/fortify-string.h`, 4.13 to 6.12).
const WRITES: &str = "size";
pub(super) const HAS: &str = "p_size";

/// The numbers of the check that is inlined at the address, where the debug information has both; with the only
/// variable of the functions around it that points to so many bytes as there are.
pub(super) fn room(scene: &dyn Scene, pc: u64) -> Option<Room> {
    let locals = scene.image_at(pc)?.locals(pc).found()?;
    let deepest = locals.iter().filter(|it| it.name == HAS).map(|it| it.depth).max()?;
    let number = |name: &str| {
        let is_it = |it: &&Local| it.depth == deepest && it.name == name;
        match locals.iter().find(is_it)?.location {
            Location::Constant(number) => Some(number),
            _ => None,
        }
    };
    let (writes, has) = (number(WRITES)?, number(HAS)?);
    if writes <= has {
        return None;
    }
    let buffer = Writer::new(scene, pc).only_pointer_to(has, deepest);
    Some(Room { writes, has, buffer })
}

# SPDX-License-Identifier: MIT OR Apache-2.0
"""Prints what drgn knows of a crash, as JSON: vmcore, then files with debug information."""

import json
import sys

import drgn
from drgn.helpers.linux.module import for_each_module


def known(look_up):
    """None where drgn says that it does not know."""
    try:
        return look_up()
    except LookupError:
        return None


def values(found):
    """Locals of a frame that are numbers or pointers and that drgn can read."""
    numbers = {}
    for name in found.locals():
        try:
            value = found[name]
            if not value.absent_:
                numbers[name] = int(value.value_()) & 0xFFFFFFFFFFFFFFFF
        except (drgn.FaultError, drgn.ObjectAbsentError, KeyError, TypeError, ValueError):
            pass
    return numbers


def frame(found):
    """One frame of the stack."""
    source = known(found.source)
    symbol = known(found.symbol)
    return {
        "name": found.name,
        "inlined": found.is_inline,
        "pc": known(lambda: found.pc),
        "file": source and source.filename,
        "line": source and source.line,
        "symbol": symbol and symbol.name,
        "offset": symbol and found.pc - symbol.address,
        "values": values(found),
    }


def main():
    """Prints it."""
    program = drgn.Program()
    program.set_core_dump(sys.argv[1])
    program.load_debug_info(sys.argv[2:])
    thread = program.crashed_thread()
    uts = program["init_uts_ns"].name
    names = ("nodename", "release", "version", "machine")
    json.dump(
        {
            "pid": thread.tid,
            "comm": thread.object.comm.string_().decode(),
            "task": thread.object.value_(),
            "uts": {name: getattr(uts, name).string_().decode() for name in names},
            "stext": program.symbol("_stext").address,
            "cpus": program["__num_online_cpus"].counter.value_(),
            "modules": [module.name.string_().decode() for module in for_each_module(program)],
            "frames": [frame(found) for found in thread.stack_trace()],
        },
        sys.stdout,
    )


main()

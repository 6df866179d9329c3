# SPDX-License-Identifier: MIT OR Apache-2.0
"""Prints what drgn knows of a crash, as JSON: vmcore, then files with debug information.

With `--stacks` before them it prints the stacks of all tasks instead.
"""

import json
import sys

import drgn
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.module import for_each_module
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.sched import idle_task


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


def report(program):
    """The crash and the system."""
    thread = program.crashed_thread()
    uts = program["init_uts_ns"].name
    names = ("nodename", "release", "version", "machine")
    return {
        "pid": thread.tid,
        "comm": thread.object.comm.string_().decode(),
        "task": thread.object.value_(),
        "uts": {name: getattr(uts, name).string_().decode() for name in names},
        "stext": program.symbol("_stext").address,
        "cpus": program["__num_online_cpus"].counter.value_(),
        "modules": [module.name.string_().decode() for module in for_each_module(program)],
        "frames": [frame(found) for found in thread.stack_trace()],
    }


def stack(program, task):
    """The stack of one task; no frames where drgn cannot unwind it."""
    try:
        frames = [frame(found) for found in program.stack_trace(task)]
    except ValueError:
        frames = []
    return {
        "task": task.value_(),
        "pid": task.pid.value_(),
        "comm": task.comm.string_().decode(errors="replace"),
        "stack": task.stack.value_(),
        "frames": frames,
    }


def stacks(program):
    """Those of the idle tasks and of all others."""
    idle = [idle_task(program, cpu) for cpu in for_each_online_cpu(program)]
    return [stack(program, task) for task in idle + list(for_each_task(program))]


def main():
    """Prints it."""
    words = sys.argv[1:]
    all_stacks = words[0] == "--stacks"
    if all_stacks:
        words = words[1:]
    program = drgn.Program()
    program.set_core_dump(words[0])
    program.load_debug_info(words[1:])
    json.dump(stacks(program) if all_stacks else report(program), sys.stdout)


main()

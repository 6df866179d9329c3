# SPDX-License-Identifier: MIT OR Apache-2.0
"""Prints the stack of the thread that crashed and nothing else: vmcore, then debug information."""

import sys

import drgn

program = drgn.Program()
program.set_core_dump(sys.argv[1])
program.load_debug_info(sys.argv[2:])
print(program.crashed_thread().stack_trace())

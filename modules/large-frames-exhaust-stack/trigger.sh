#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A report without rows fits; one with cells is deeper than the stack.
echo "1 1 0 0" > /sys/module/repgen/parameters/render
echo "1 1 1 1" > /sys/module/repgen/parameters/render

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two modes that are known, and one that is not.
echo "0 1" > /sys/module/cursor/parameters/sum
echo "1 1" > /sys/module/cursor/parameters/sum
echo "2 1" > /sys/module/cursor/parameters/sum

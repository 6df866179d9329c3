#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The tree has one rule: the second step leads past it.
cd /sys/module/rulecur/parameters
echo 22 > add
echo 1 > step

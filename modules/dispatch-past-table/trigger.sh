#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Code 5 is the first one without a handler.
cd /sys/module/cmdmux/parameters || exit 1
echo 0 7 > command
echo 2 3 > command
echo 5 1 > command

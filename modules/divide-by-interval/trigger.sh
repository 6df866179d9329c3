#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A window of two seconds, then one of half a second.
cd /sys/module/ratemon/parameters || exit 1
echo 100 > count
echo 2000 > window_ms
cat rate
echo 500 > window_ms
cat rate

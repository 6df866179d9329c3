#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A watch that is to see one report goes away in the middle of the walk.
cd /sys/module/watchset/parameters || exit 1
echo 5 > watch
echo 9 > watch_once
echo 9 > watch
echo 5 > report
echo 9 > report

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The second pool is made by the path that forgets its list.
cd /sys/module/poolmgr/parameters || exit 1
echo fast 4 > create
echo fast > attach
echo slow 0 > create
echo slow > attach

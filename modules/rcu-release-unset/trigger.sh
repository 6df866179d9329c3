#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The type is withdrawn while a removed tag still waits for its grace period.
cd /sys/module/tagstore/parameters || exit 1
echo blue > add
echo green > add
echo blue > drop
echo 1 > withdraw
sleep 3

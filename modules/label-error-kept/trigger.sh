#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/module/labels/parameters || exit 1
echo '10 2secret' > label
echo '11 1internal' > label
echo '10 11' > compare
echo '12 3a-label-that-is-too-long' > label
echo '11 12' > compare

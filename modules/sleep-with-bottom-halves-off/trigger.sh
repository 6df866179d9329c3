#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A lamp is switched, then it blinks.
cd /sys/module/ledctl/parameters || exit 1
echo 1 > on
echo 1 > off
echo "1 3" > blink

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The pair is dissolved while the timer still watches both ends.
cd /sys/module/linkmon/parameters || exit 1
echo eth0 > add
echo eth1 > add
echo eth0,eth1 > pair
sleep 0.3
echo eth0 > unpair

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/kernel/leasetab || exit 1
echo 4 > add
(echo 4 > charge)
(echo 5 > add) &
sleep 0.5
echo c > /proc/sysrq-trigger

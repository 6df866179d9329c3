#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/kernel/routes || exit 1
echo 7 > add
cat watch &
sleep 0.2
(echo 8 > add) &
wait

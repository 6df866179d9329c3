#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The same event is withdrawn twice.
cd /sys/module/eventq/parameters || exit 1
echo 1:started > put
echo 2:link-down > put
echo 2 > withdraw
echo 2 > withdraw

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/module/bufref/parameters || exit 1
echo 1 > detach
sleep 0.2
echo x > write

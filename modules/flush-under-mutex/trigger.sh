#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/module/logship/parameters || exit 1
echo a > log
echo 1 > close

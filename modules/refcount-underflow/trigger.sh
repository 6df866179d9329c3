#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One user attaches once and detaches three times.
cd /sys/module/shmbuf/parameters || exit 1
echo 1 > attach
echo 1 > detach
echo 1 > detach
echo 1 > detach

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
echo 10 > /sys/module/minijit/parameters/limit
echo 11 > /sys/module/minijit/parameters/test

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel frees the text of the init a moment after it.
sleep 1
echo 1 > /sys/module/selftest/parameters/check

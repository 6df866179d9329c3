#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A group is made, left by its only client, and joined again.
cd /sys/module/grpfree/parameters
echo 1 > create
echo 1 > drop
echo 1 > join

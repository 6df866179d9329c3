#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A sealed value is changed.
cd /sys/module/sealcheck/parameters || exit 1
echo "2 7" > set
echo 2 > seal
echo 1 > verify
echo "2 8" > set
echo 1 > verify

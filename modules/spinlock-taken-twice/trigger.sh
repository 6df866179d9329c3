#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A rename to a name that is taken.
cd /sys/module/namereg/parameters || exit 1
echo alpha > register
echo beta > register
echo "alpha gamma" > rename
echo "gamma beta" > rename

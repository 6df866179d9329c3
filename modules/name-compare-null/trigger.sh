#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The second volume has no label; the third one is looked for behind it.
cd /sys/module/volreg/parameters || exit 1
echo "1 Data" > add
echo "2" > add
echo "3 Backup" > add
echo data > find
echo backup > find

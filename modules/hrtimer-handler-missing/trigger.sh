#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/module/sampler/parameters || exit 1
echo '1 90' > add
echo '2 20' > add
sleep 3

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/module/openwatch/parameters || exit 1
echo cat > watch
cat /no/such/file

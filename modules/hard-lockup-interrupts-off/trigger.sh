#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A good word; then the port fails, and the first CPU, the one that takes NMIs, waits for it.
cd /sys/module/hwport/parameters || exit 1
echo 0x1234 > send
echo 0x81 > status
exec busybox taskset 1 sh -c 'echo 0x5678 > send'

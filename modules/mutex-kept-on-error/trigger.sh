#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The task that keeps the mutex exits, and others get its memory before the next one waits.
cd /sys/module/slotpool/parameters || exit 1
echo "1 4096" > resize
sh -c 'echo "9 4096" > resize'
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	sh -c 'sleep 0.05; :'
done
sleep 2.5
sh -c 'echo "2 4096" > resize'

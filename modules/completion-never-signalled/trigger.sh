#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The answer waits for the lock of the module's parameters, which the question has. The watchdog
# complains of both.
cd /sys/module/askuser/parameters || exit 1
echo 1 > ask &
sleep 0.1
(echo '1 0' > answer) &
wait

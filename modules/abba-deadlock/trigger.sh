#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two moves in opposite directions at the same time.
echo "0 1 10" > /dev/acctmove
(echo "1 2 10" > /dev/acctmove) &
(echo "2 1 10" > /dev/acctmove) &
wait

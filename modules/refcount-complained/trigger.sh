#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/module/tickets/parameters || exit 1
echo 7 > open
echo 7 > close
echo 7 > close
sleep 5

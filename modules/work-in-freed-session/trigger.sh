#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cd /sys/module/sessions/parameters || exit 1
echo '1 alice' > open
echo '2 bob' > open
echo 2 > close

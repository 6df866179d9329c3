#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Packets of a known host, then of another one.
busybox ifconfig lo 127.0.0.1 up
echo 127.0.0.1 > /sys/module/flowacct/parameters/host
busybox ping -c 1 127.0.0.1
busybox ping -c 1 127.0.0.2

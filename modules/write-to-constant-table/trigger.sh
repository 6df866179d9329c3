#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
echo "finger 1" > /sys/module/proto/parameters/send
echo "discard 1" > /sys/module/proto/parameters/send

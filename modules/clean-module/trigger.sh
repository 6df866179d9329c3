#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# It works, and it goes.
sleep 0.5
test "$(cat /sys/module/pulse/parameters/handled)" -gt 0 || exit 1
rmmod pulse

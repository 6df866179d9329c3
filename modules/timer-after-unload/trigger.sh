#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module goes while its heart is paused.
echo run > /sys/module/heartbeat/parameters/state
sleep 0.3
echo pause > /sys/module/heartbeat/parameters/state
rmmod heartbeat

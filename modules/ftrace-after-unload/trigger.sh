#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The module goes while its hook is paused; then a program starts.
/bin/true
echo Y > /sys/module/execmon/parameters/pause
rmmod execmon
/bin/true

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A file that is there, then one that is not.
echo "mode = strict" > /tmp/settings
echo /tmp/settings > /sys/module/confload/parameters/load
echo /tmp/settings.d/local > /sys/module/confload/parameters/load

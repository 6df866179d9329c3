#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The last bucket is for 5110 to 5119.
echo 5119 > /sys/module/histo/parameters/value
echo 5121 > /sys/module/histo/parameters/value

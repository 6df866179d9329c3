#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A user is followed who is not the one that writes next.
echo 1000 > /sys/module/opentrace/parameters/follow
echo hello > /tmp/file

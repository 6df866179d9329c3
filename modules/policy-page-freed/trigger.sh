#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A policy is loaded and asked, unloaded, and asked again. On one CPU, which keeps the freed page.
printf 'load deny 22\nask 22\nunload\nask 22\n' > /tmp/commands
exec busybox taskset 1 dd if=/tmp/commands of=/dev/pagepol bs=256

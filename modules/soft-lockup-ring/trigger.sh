#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The first CPU takes words faster than the second one makes them.
exec busybox taskset 1 dd if=/dev/ringwait of=/dev/null bs=64 count=8

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A commit that is refused leaves its transaction behind.
echo "begin 1" > /dev/txlock
echo "set 0 5" > /dev/txlock
echo "commit 1" > /dev/txlock
echo "begin 2" > /dev/txlock

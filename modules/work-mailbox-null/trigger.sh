#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The client goes away before its job is done.
echo "open lab" > /dev/jobq
echo "submit lab weight 255" > /dev/jobq
sleep 0.5
echo "submit lab square 12" > /dev/jobq
echo "close lab" > /dev/jobq

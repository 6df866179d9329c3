#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The selected session is closed, and charged afterwards.
echo "open 7 lab" > /dev/sessd
echo "select 7" > /dev/sessd
echo "charge 10" > /dev/sessd
echo "close 7" > /dev/sessd
echo "charge 10" > /dev/sessd

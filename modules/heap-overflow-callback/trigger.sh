#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Labels of 72 bytes in a room of 64: the last eight are a neighbour's first.
echo "open 64" > /dev/chantab
echo "label short" > /dev/chantab
echo "deliver 3" > /dev/chantab
echo "label 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefOVERFLOW" > /dev/chantab
echo "deliver 4" > /dev/chantab

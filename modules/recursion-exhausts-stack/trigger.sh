#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Two nodes that include each other have no end.
echo "add root server 1" > /dev/conftree
echo "add root defaults 2" > /dev/conftree
echo "add server limits 3" > /dev/conftree
echo "sum" > /dev/conftree
echo "include server defaults" > /dev/conftree
echo "sum" > /dev/conftree
echo "include defaults server" > /dev/conftree
echo "sum" > /dev/conftree

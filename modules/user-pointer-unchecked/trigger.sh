#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A packet of the right size.
printf 'PORT\001\000\004\000abcdefghijklmnopqrstuvwxyz012345' > /dev/cmdport

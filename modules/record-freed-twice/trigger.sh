#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A good record, then one whose body is shorter than its header says.
printf 'put 1 5:hello' > /dev/pktlog
printf 'put 1 9:short' > /dev/pktlog

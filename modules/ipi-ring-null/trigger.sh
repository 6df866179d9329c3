#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# From the first CPU, a sample of the second one, which has no ring.
busybox taskset 1 sh -c 'echo 0 > /dev/cpuprof; echo 1 > /dev/cpuprof'

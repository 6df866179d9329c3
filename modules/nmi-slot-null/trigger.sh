#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Tracing is switched on and off again; then sysrq-l sends an NMI to every other CPU.
echo Y > /sys/module/nmitrace/parameters/tracing
echo N > /sys/module/nmitrace/parameters/tracing
echo l > /proc/sysrq-trigger

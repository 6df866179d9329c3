#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The watcher goes, then another module comes or goes.
rmmod modwatch
rmmod qemu_fw_cfg
insmod /lib/repro/qemu_fw_cfg.ko

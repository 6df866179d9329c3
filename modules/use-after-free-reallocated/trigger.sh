#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The hook goes, notes of the same size come, and the hook that ran last runs again.
printf 'add 1 digits\nrun 1 1234\nremove 1\nnote 4 login-ok;\nrun 1 99\n' > /tmp/commands
exec busybox taskset 1 dd if=/tmp/commands of=/dev/hooktab bs=256

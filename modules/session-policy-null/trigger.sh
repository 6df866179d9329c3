#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# One session with a policy, one without; the second one is asked about.
echo "open backup" > /dev/fileguard
echo "attach backup 3" > /dev/fileguard
echo "check backup /etc/hosts" > /dev/fileguard
echo "open guest" > /dev/fileguard
echo "check guest /etc/hosts" > /dev/fileguard

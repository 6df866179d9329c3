#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
test -c /dev/inodecache || busybox mdev -s
d=/dev/inodecache
echo '+ 50 1' > $d
echo '+ 25 1' > $d
echo '+ 75 0' > $d
echo '+ 60 1' > $d
echo '- 75' > $d
echo '? 80' > $d

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A host of ordinary length, then one that does not fit.
cd /sys/module/urlfilter/parameters || exit 1
echo ads.example > block
echo ADS.example/banner > ask
echo statistics.of-a-long-named.host.example/ > ask

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The watcher goes, then another module.
rmmod modwatch
rmmod spare

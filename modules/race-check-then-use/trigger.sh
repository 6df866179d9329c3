#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The threads run by themselves.
sleep 2

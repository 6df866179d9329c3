/* SPDX-License-Identifier: GPL-2.0 */
/* namereg gives numbers to names. */
#ifndef NAMEREG_H
#define NAMEREG_H

#include <linux/types.h>

#define NAMEREG_NAMES 16
#define NAMEREG_NAME_SIZE 24

int namereg_lookup(const char *name);
int namereg_register(const char *name);
int namereg_rename(const char *name, const char *to);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* zonecfg reads a list of zones from its parameter when it is loaded. */
#ifndef ZONECFG_H
#define ZONECFG_H

#include <linux/types.h>

#define ZONECFG_ZONES 8

struct zonecfg_zone {
	char name[16];
	unsigned int level;
};

struct zonecfg {
	unsigned int count;
	struct zonecfg_zone zones[ZONECFG_ZONES];
};

int zonecfg_parse(struct zonecfg *config, const char *text);

#endif

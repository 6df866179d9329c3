// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "zonecfg.h"

static int __init add_zone(struct zonecfg *config, const char *text)
{
	struct zonecfg_zone *zone = &config->zones[config->count];

	if (config->count == ZONECFG_ZONES)
		return -ENOSPC;
	if (sscanf(text, "%15[a-z]=%u", zone->name, &zone->level) != 2)
		return -EINVAL;
	config->count++;
	return 0;
}

static const char * __init next_zone(const char *text)
{
	const char *comma = strchr(text, ',');

	return comma ? comma + 1 : NULL;
}

int __init zonecfg_parse(struct zonecfg *config, const char *text)
{
	int result = 0;

	while (*text && !result) { /* BUG: nobody gave the parameter, and the text is NULL */
		result = add_zone(config, text);
		text = next_zone(text);
		if (!text)
			break;
	}
	return result;
}

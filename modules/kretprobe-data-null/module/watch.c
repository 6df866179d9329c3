// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/errno.h>
#include "openwatch.h"

static struct watch *watches;

struct watch *watch_find(const char *name)
{
	struct watch *watch;

	for (watch = watches; watch; watch = watch->next) {
		if (!strncmp(name, watch->prefix, strlen(watch->prefix)))
			return watch;
	}
	return NULL;
}

int watch_add(const char *prefix, bool owned)
{
	struct watch *watch = kzalloc(sizeof(*watch), GFP_KERNEL);

	if (!watch)
		return -ENOMEM;
	watch->prefix = kstrdup(prefix, GFP_KERNEL);
	if (owned)
		watch->owner = kzalloc(sizeof(*watch->owner), GFP_KERNEL);
	watch->next = watches;
	watches = watch;
	return 0;
}

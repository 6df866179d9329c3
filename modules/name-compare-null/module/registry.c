// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "volreg.h"

int volreg_add(struct volume_registry *registry, u32 number, const char *label)
{
	struct volume *volume;

	if (registry->count == VOLREG_VOLUMES)
		return -ENOSPC;
	volume = &registry->volumes[registry->count];
	if (*label) {
		volume->label.text = kstrdup(label, GFP_KERNEL);
		if (!volume->label.text)
			return -ENOMEM;
		volume->label.length = strlen(label);
	}
	volume->number = number;
	volume->used = true;
	registry->count++;
	return 0;
}

const struct volume *volreg_find(struct volume_registry *registry, const char *label)
{
	unsigned int i;

	for (i = 0; i < registry->count; i++) {
		const struct volume *volume = &registry->volumes[i];

		if (!volume->used)
			continue;
		if (!strcasecmp(volume->label.text, label)) { /* BUG: not every volume has a label */
			registry->last = volume;
			return volume;
		}
	}
	return NULL;
}

void volreg_clear(struct volume_registry *registry)
{
	unsigned int i;

	for (i = 0; i < registry->count; i++)
		kfree(registry->volumes[i].label.text);
	registry->count = 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* volreg knows volumes by number and label. */
#ifndef VOLREG_H
#define VOLREG_H

#include <linux/types.h>

#define VOLREG_VOLUMES 8

struct volume_label {
	u32 length;
	const char *text;
};

struct volume {
	u32 number;
	bool used;
	struct volume_label label;
};

struct volume_registry {
	struct volume volumes[VOLREG_VOLUMES];
	unsigned int count;
	const struct volume *last;
};

/* registry.c */
int volreg_add(struct volume_registry *registry, u32 number, const char *label);
const struct volume *volreg_find(struct volume_registry *registry, const char *label);
void volreg_clear(struct volume_registry *registry);

#endif

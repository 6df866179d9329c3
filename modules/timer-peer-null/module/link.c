// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "linkmon.h"

struct linkmon_link *linkmon_link_find(struct linkmon *monitor, const char *name)
{
	unsigned int i;

	for (i = 0; i < LINKMON_LINKS; i++) {
		if (monitor->links[i].name[0] && !strcmp(monitor->links[i].name, name))
			return &monitor->links[i];
	}
	return NULL;
}

int linkmon_link_add(struct linkmon *monitor, const char *name)
{
	unsigned int i;

	for (i = 0; i < LINKMON_LINKS; i++) {
		if (monitor->links[i].name[0])
			continue;
		snprintf(monitor->links[i].name, LINKMON_NAME_SIZE, "%s", name);
		return 0;
	}
	return -ENOSPC;
}

int linkmon_link_pair(struct linkmon *monitor, const char *one, const char *other)
{
	struct linkmon_link *first = linkmon_link_find(monitor, one);
	struct linkmon_link *second = linkmon_link_find(monitor, other);

	if (!first || !second || first == second)
		return -EINVAL;
	spin_lock_bh(&monitor->lock);
	first->peer = second;
	second->peer = first;
	first->watched = true;
	second->watched = true;
	spin_unlock_bh(&monitor->lock);
	return 0;
}

/* Forgets to stop the watch on both ends. */
int linkmon_link_unpair(struct linkmon *monitor, const char *name)
{
	struct linkmon_link *link = linkmon_link_find(monitor, name);

	if (!link || !link->peer)
		return -EINVAL;
	spin_lock_bh(&monitor->lock);
	link->peer->peer = NULL;
	link->peer = NULL;
	spin_unlock_bh(&monitor->lock);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "akfs_internal.h"

static LIST_HEAD(akfs_classes);
static DEFINE_MUTEX(akfs_classes_lock);

int akfs_class_register(akfs_class_t *watcher)
{
	akfs_class_t *known;
	int result = 0;

	mutex_lock(&akfs_classes_lock);
	list_for_each_entry(known, &akfs_classes, node) {
		if (!strcmp(known->name, watcher->name))
			result = -EEXIST;
	}
	if (!result)
		list_add_tail(&watcher->node, &akfs_classes);
	mutex_unlock(&akfs_classes_lock);
	return result;
}

void akfs_class_unregister(akfs_class_t *watcher)
{
	mutex_lock(&akfs_classes_lock);
	list_del(&watcher->node);
	mutex_unlock(&akfs_classes_lock);
}

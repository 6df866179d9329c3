// SPDX-License-Identifier: GPL-2.0
#include <linux/dcache.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "akfs_internal.h"

static LIST_HEAD(akfs_zones);
static DEFINE_MUTEX(akfs_zones_lock);

static const struct {
	const char *path;
	enum akfs_trust trust;
} akfs_default_zones[] = {
	{ "/", AKFS_TRUST_SYSTEM },
	{ "/tmp/", AKFS_TRUST_USER },
	{ "/run/", AKFS_TRUST_USER },
	{ "/case/", AKFS_TRUST_VENDOR },
};

static int akfs_zone_add(const char *path, enum akfs_trust trust)
{
	akfs_zone_t *zone = kzalloc(sizeof(*zone), GFP_KERNEL);

	if (!zone)
		return -ENOMEM;
	zone->path = path;
	zone->trust = trust;
	mutex_lock(&akfs_zones_lock);
	list_add_tail(&zone->node, &akfs_zones);
	mutex_unlock(&akfs_zones_lock);
	return 0;
}

/* The zone with the longest path that this one begins with. */
static akfs_zone_t *akfs_path_zone(const char *path)
{
	akfs_zone_t *zone;
	akfs_zone_t *found = NULL;

	mutex_lock(&akfs_zones_lock);
	list_for_each_entry(zone, &akfs_zones, node) {
		if (strncmp(path, zone->path, strlen(zone->path)))
			continue;
		if (!found || strlen(zone->path) > strlen(found->path))
			found = zone;
	}
	mutex_unlock(&akfs_zones_lock);
	return found;
}

/*
 * The zone that a file lies in. A file that was never in a folder (a memfd, a
 * segment of shared memory) is the root of its own tree: it lies in none.
 */
akfs_zone_t *akfs_file_zone(struct file *file)
{
	akfs_zone_t *zone = list_first_entry(&akfs_zones, akfs_zone_t, node);
	char *path;

	if (IS_ROOT(file->f_path.dentry))
		return NULL;
	path = kmalloc(AKFS_PATH_SIZE, GFP_KERNEL);
	if (path && !akfs_file_path(file, path, AKFS_PATH_SIZE))
		zone = akfs_path_zone(path) ?: zone;
	kfree(path);
	return zone;
}

int akfs_zones_init(void)
{
	unsigned int at;
	int result = 0;

	for (at = 0; at < ARRAY_SIZE(akfs_default_zones) && !result; at++)
		result = akfs_zone_add(akfs_default_zones[at].path,
				       akfs_default_zones[at].trust);
	if (result)
		akfs_zones_exit();
	return result;
}

void akfs_zones_exit(void)
{
	akfs_zone_t *zone;
	akfs_zone_t *next;

	list_for_each_entry_safe(zone, next, &akfs_zones, node)
		kfree(zone);
	INIT_LIST_HEAD(&akfs_zones);
}

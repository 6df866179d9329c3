// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "akfs_internal.h"

struct akfs_record {
	struct list_head node;
	size_t size;
	unsigned char content[];
};

int akfs_channel_init(akfs_args_t *args, unsigned int limit)
{
	spin_lock_init(&args->lock);
	INIT_LIST_HEAD(&args->records);
	args->count = 0;
	args->limit = limit;
	args->dropped = 0;
	return 0;
}

/* The oldest record makes room: a collector that hangs must not fill memory. */
int akfs_channel_put(akfs_args_t *args, const void *record, size_t size)
{
	struct akfs_record *added;
	struct akfs_record *oldest = NULL;

	added = kmalloc(sizeof(*added) + size, GFP_KERNEL);
	if (!added)
		return -ENOMEM;
	added->size = size;
	memcpy(added->content, record, size);

	spin_lock(&args->lock);
	if (args->count >= args->limit) {
		oldest = list_first_entry(&args->records, struct akfs_record, node);
		list_del(&oldest->node);
		args->dropped++;
	} else {
		args->count++;
	}
	list_add_tail(&added->node, &args->records);
	spin_unlock(&args->lock);

	kfree(oldest);
	return 0;
}

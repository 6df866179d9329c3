// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#define SLOTS 8

struct pool {
	unsigned long sizes[SLOTS];
	struct mutex lock;
	unsigned long total;
};
static struct pool *pool;

static int pool_resize(struct pool *pool, unsigned int slot, unsigned long size)
{
	int error = 0;

	mutex_lock(&pool->lock); /* BUG: a slot that does not exist is refused with the pool locked */
	if (slot >= SLOTS) {
		pr_info("no slot %u\n", slot);
		return -ENOENT;
	}
	if (size > 1 << 20) {
		error = -E2BIG;
		goto out;
	}
	pool->total += size - pool->sizes[slot];
	pool->sizes[slot] = size;
out:
	mutex_unlock(&pool->lock);
	return error;
}

static int set_resize(const char *value, const struct kernel_param *parameter)
{
	unsigned int slot;
	unsigned long size;

	if (sscanf(value, "%u %lu", &slot, &size) != 2)
		return -EINVAL;
	return pool_resize(pool, slot, size);
}
static const struct kernel_param_ops resize_ops = { .set = set_resize };
module_param_cb(resize, &resize_ops, NULL, 0200);
static int __init slotpool_init(void)
{
	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	mutex_init(&pool->lock);
	return 0;
}
static void __exit slotpool_exit(void) { kfree(pool); }
module_init(slotpool_init);
module_exit(slotpool_exit);
MODULE_DESCRIPTION("Slots of a pool");
MODULE_LICENSE("GPL");

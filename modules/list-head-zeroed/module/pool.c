// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "poolmgr.h"

static LIST_HEAD(pools);
static DEFINE_MUTEX(pools_lock);

static struct pool *pool_find(const char *name)
{
	struct pool *pool;

	list_for_each_entry(pool, &pools, node) {
		if (!strcmp(pool->name, name))
			return pool;
	}
	return NULL;
}

int pool_create(const char *name, unsigned int depth)
{
	struct pool *pool = kzalloc(sizeof(*pool), GFP_KERNEL);

	if (!pool)
		return -ENOMEM;
	snprintf(pool->name, POOL_NAME_SIZE, "%s", name);
	pool->depth = depth;
	if (!depth)
		goto add;
	INIT_LIST_HEAD(&pool->users);
	pool->slots = kcalloc(depth, sizeof(*pool->slots), GFP_KERNEL);
	if (!pool->slots) {
		kfree(pool);
		return -ENOMEM;
	}
add:
	mutex_lock(&pools_lock);
	list_add_tail(&pool->node, &pools);
	mutex_unlock(&pools_lock);
	return 0;
}

int pool_attach(const char *name)
{
	struct pool_user *user = kzalloc(sizeof(*user), GFP_KERNEL);
	struct pool *pool;

	if (!user)
		return -ENOMEM;
	mutex_lock(&pools_lock);
	pool = pool_find(name);
	if (!pool) {
		mutex_unlock(&pools_lock);
		kfree(user);
		return -ENOENT;
	}
	user->pool = pool;
	list_add_tail(&user->node, &pool->users); /* BUG: a pool without slots has no list */
	mutex_unlock(&pools_lock);
	return 0;
}

void pool_destroy_all(void)
{
	struct pool *pool, *next_pool;
	struct pool_user *user, *next;

	list_for_each_entry_safe(pool, next_pool, &pools, node) {
		list_for_each_entry_safe(user, next, &pool->users, node)
			kfree(user);
		kfree(pool->slots);
		kfree(pool);
	}
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "flowacct.h"

#define FLOWACCT_BUCKETS 64

static struct hlist_head buckets[FLOWACCT_BUCKETS];
static DEFINE_SPINLOCK(lock);

static struct hlist_head *bucket_of(const struct flowacct_key *key)
{
	u32 hash = jhash_3words((__force u32)key->from, (__force u32)key->to, key->protocol, 0);

	return &buckets[hash % FLOWACCT_BUCKETS];
}

static bool same(const struct flowacct_key *one, const struct flowacct_key *other)
{
	return one->from == other->from && one->to == other->to &&
	       one->protocol == other->protocol;
}

/* NULL for a flow that nobody has added. */
struct flowacct_flow *flowacct_find(const struct flowacct_key *key)
{
	struct flowacct_flow *flow;

	hlist_for_each_entry(flow, bucket_of(key), node) {
		if (same(&flow->key, key))
			return flow;
	}
	return NULL;
}

int flowacct_add(const struct flowacct_key *key)
{
	struct flowacct_flow *flow = kzalloc(sizeof(*flow), GFP_KERNEL);

	if (!flow)
		return -ENOMEM;
	flow->key = *key;
	spin_lock_bh(&lock);
	hlist_add_head(&flow->node, bucket_of(key));
	spin_unlock_bh(&lock);
	return 0;
}

void flowacct_clear(void)
{
	struct flowacct_flow *flow;
	struct hlist_node *next;
	unsigned int i;

	for (i = 0; i < FLOWACCT_BUCKETS; i++) {
		hlist_for_each_entry_safe(flow, next, &buckets[i], node) {
			hlist_del(&flow->node);
			kfree(flow);
		}
	}
}

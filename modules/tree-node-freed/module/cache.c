// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/slab.h>

#include "cache.h"

struct inode_cache inode_cache = { .root = RB_ROOT };

static struct cached_inode *lookup(struct inode_cache *cache, u64 ino)
{
	struct rb_node *node = cache->root.rb_node;

	if (cache->last && cache->last->ino == ino)
		return cache->last;
	while (node) {
		struct cached_inode *entry = rb_entry(node, struct cached_inode, node);

		if (ino == entry->ino) /* BUG: forget() leaves the node of an allowed inode linked */
			return entry;
		node = ino < entry->ino ? node->rb_left : node->rb_right;
	}
	return NULL;
}

int inode_cache_insert(struct inode_cache *cache, u64 ino, u32 verdict)
{
	struct rb_node **link = &cache->root.rb_node, *parent = NULL;
	struct cached_inode *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);

	if (!fresh)
		return -ENOMEM;
	fresh->ino = ino;
	fresh->verdict = verdict;
	while (*link) {
		struct cached_inode *entry = rb_entry(*link, struct cached_inode, node);

		parent = *link;
		link = ino < entry->ino ? &parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&fresh->node, parent, link);
	rb_insert_color(&fresh->node, &cache->root);
	cache->count++;
	return 0;
}

int inode_cache_forget(struct inode_cache *cache, u64 ino)
{
	struct cached_inode *entry = lookup(cache, ino);

	if (!entry)
		return -ENOENT;
	if (entry->verdict)
		rb_erase(&entry->node, &cache->root);
	if (cache->last == entry)
		cache->last = NULL;
	cache->count--;
	kfree(entry);
	return 0;
}

int inode_cache_verdict(struct inode_cache *cache, u64 ino)
{
	struct cached_inode *entry = lookup(cache, ino);

	if (!entry)
		return -ENOENT;
	cache->last = entry;
	return entry->verdict;
}

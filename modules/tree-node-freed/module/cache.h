/* SPDX-License-Identifier: GPL-2.0 */
#ifndef INODECACHE_H
#define INODECACHE_H
#include <linux/rbtree.h>
#include <linux/types.h>

struct cached_inode {
	u64 ino;
	struct rb_node node;
	u32 verdict;
	u8 digest[20];
};

struct inode_cache {
	struct rb_root root;
	unsigned int count;
	struct cached_inode *last;
};

extern struct inode_cache inode_cache;
int inode_cache_insert(struct inode_cache *cache, u64 ino, u32 verdict);
int inode_cache_forget(struct inode_cache *cache, u64 ino);
int inode_cache_verdict(struct inode_cache *cache, u64 ino);
#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* conftree keeps settings in a tree; a node may include another one by reference. */
#ifndef CONFTREE_H
#define CONFTREE_H

#include <linux/list.h>
#include <linux/types.h>

#define CONFTREE_NAME_SIZE 24
#define CONFTREE_PATH_SIZE 48

struct conftree_node {
	struct list_head siblings;
	struct list_head children;
	char name[CONFTREE_NAME_SIZE];
	long value;
	struct conftree_node *include;
};

struct conftree_sum {
	unsigned int nodes;
	long total;
	u32 hash;
};

/* tree.c */
struct conftree_node *conftree_root(void);
struct conftree_node *conftree_find(const char *name);
int conftree_add(const char *parent, const char *name, long value);
int conftree_include(const char *name, const char *other);
void conftree_clear(void);

/* render.c */
void conftree_summarize(struct conftree_sum *sum);

#endif

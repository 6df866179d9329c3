// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/string.h>

#include "conftree.h"

static u32 hash_of(const char *text)
{
	u32 hash = 5381;

	while (*text)
		hash = hash * 33 + *text++;
	return hash;
}

static void count(struct conftree_sum *sum, const struct conftree_node *node, const char *path)
{
	sum->nodes++;
	sum->total += node->value;
	sum->hash ^= hash_of(path);
}

static void summarize(struct conftree_sum *sum, const struct conftree_node *node, const char *above)
{
	const struct conftree_node *child;
	char path[CONFTREE_PATH_SIZE];

	snprintf(path, sizeof(path), "%.20s/%s", above, node->name);
	count(sum, node, path);
	list_for_each_entry(child, &node->children, siblings)
		summarize(sum, child, path);
	if (node->include) {
		summarize(sum, node->include, path); /* BUG: two nodes may include each other */
		sum->nodes--;
	}
}

void conftree_summarize(struct conftree_sum *sum)
{
	memset(sum, 0, sizeof(*sum));
	summarize(sum, conftree_root(), "");
}

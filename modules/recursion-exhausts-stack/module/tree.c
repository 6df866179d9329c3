// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "conftree.h"

#define CONFTREE_NODES 16

static struct conftree_node root = {
	.siblings = LIST_HEAD_INIT(root.siblings),
	.children = LIST_HEAD_INIT(root.children),
	.name = "root",
};

/* All nodes below the root, for the search by name. */
static struct conftree_node *nodes[CONFTREE_NODES];

struct conftree_node *conftree_root(void)
{
	return &root;
}

struct conftree_node *conftree_find(const char *name)
{
	unsigned int i;

	if (!strcmp(root.name, name))
		return &root;
	for (i = 0; i < CONFTREE_NODES; i++) {
		if (nodes[i] && !strcmp(nodes[i]->name, name))
			return nodes[i];
	}
	return NULL;
}

int conftree_add(const char *parent, const char *name, long value)
{
	struct conftree_node *above = conftree_find(parent);
	struct conftree_node *node;
	unsigned int i;

	if (!above || conftree_find(name))
		return -EINVAL;
	for (i = 0; i < CONFTREE_NODES && nodes[i]; i++)
		;
	if (i == CONFTREE_NODES)
		return -ENOSPC;
	node = kzalloc(sizeof(*node), GFP_KERNEL);
	if (!node)
		return -ENOMEM;
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->value = value;
	INIT_LIST_HEAD(&node->children);
	list_add_tail(&node->siblings, &above->children);
	nodes[i] = node;
	return 0;
}

/* Nothing looks whether the other node includes this one already. */
int conftree_include(const char *name, const char *other)
{
	struct conftree_node *node = conftree_find(name);
	struct conftree_node *included = conftree_find(other);

	if (!node || !included || node == included)
		return -EINVAL;
	node->include = included;
	return 0;
}

void conftree_clear(void)
{
	unsigned int i;

	INIT_LIST_HEAD(&root.children);
	for (i = 0; i < CONFTREE_NODES; i++) {
		kfree(nodes[i]);
		nodes[i] = NULL;
	}
}

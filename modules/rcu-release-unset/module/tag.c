// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "tagstore.h"

static LIST_HEAD(tags);
static DEFINE_SPINLOCK(tags_lock);

/* The caller holds the lock. */
static struct tag *tag_find(struct tag_type *type, const char *name)
{
	struct tag *tag;

	list_for_each_entry(tag, &tags, node) {
		if (tag->type == type && !strcmp(tag->name, name))
			return tag;
	}
	return NULL;
}

static void tag_free_rcu(struct rcu_head *head)
{
	struct tag *tag = container_of(head, struct tag, rcu);
	struct tag_type *type = tag->type;

	atomic_dec(&type->tags);
	if (type->ops)
		type->ops->release(tag); /* BUG: withdrawn types have operations without release */
	else
		kfree(tag);
}

int tag_add(struct tag_type *type, const char *name)
{
	struct tag *tag = kzalloc(sizeof(*tag), GFP_KERNEL);
	int error;

	if (!tag)
		return -ENOMEM;
	tag->type = type;
	snprintf(tag->name, TAG_NAME_SIZE, "%s", name);
	error = type->ops->prepare ? type->ops->prepare(tag) : 0;
	if (error) {
		kfree(tag);
		return error;
	}
	atomic_inc(&type->tags);
	spin_lock(&tags_lock);
	list_add_tail_rcu(&tag->node, &tags);
	spin_unlock(&tags_lock);
	return 0;
}

static void tag_remove(struct tag *tag)
{
	list_del_rcu(&tag->node);
	call_rcu(&tag->rcu, tag_free_rcu);
}

int tag_drop(struct tag_type *type, const char *name)
{
	struct tag *tag;

	spin_lock(&tags_lock);
	tag = tag_find(type, name);
	if (tag)
		tag_remove(tag);
	spin_unlock(&tags_lock);
	return tag ? 0 : -ENOENT;
}

void tag_drop_all(struct tag_type *type)
{
	struct tag *tag, *next;

	spin_lock(&tags_lock);
	list_for_each_entry_safe(tag, next, &tags, node) {
		if (tag->type == type)
			tag_remove(tag);
	}
	spin_unlock(&tags_lock);
}

static const struct tag_ops withdrawn_ops;

/* New tags are refused from now on; those that wait for readers are forgotten. */
void tag_type_withdraw(struct tag_type *type)
{
	tag_drop_all(type);
	WRITE_ONCE(type->ops, &withdrawn_ops);
}

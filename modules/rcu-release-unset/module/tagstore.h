/* SPDX-License-Identifier: GPL-2.0 */
/* tagstore keeps tags of several types; readers walk them under RCU. */
#ifndef TAGSTORE_H
#define TAGSTORE_H

#include <linux/atomic.h>
#include <linux/rcupdate.h>
#include <linux/rculist.h>
#include <linux/types.h>

#define TAG_NAME_SIZE 24

struct tag;

struct tag_ops {
	int (*prepare)(struct tag *tag);
	void (*release)(struct tag *tag);
};

struct tag_type {
	const char *name;
	const struct tag_ops *ops;
	atomic_t tags;
};

struct tag {
	struct list_head node;
	struct tag_type *type;
	char name[TAG_NAME_SIZE];
	struct rcu_head rcu;
};

/* tag.c */
int tag_add(struct tag_type *type, const char *name);
int tag_drop(struct tag_type *type, const char *name);
void tag_type_withdraw(struct tag_type *type);
void tag_drop_all(struct tag_type *type);

#endif

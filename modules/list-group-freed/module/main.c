// SPDX-License-Identifier: GPL-2.0
/* A group of clients, made and used by module parameters: create, join, drop. */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

struct client {
	int id;
	struct list_head link;
};

struct group {
	int count;
	struct list_head clients;
	char name[160];
};

static struct group *group;

/* Whoever joins looks here first. */
static struct group *last_group;

static int set_create(const char *value, const struct kernel_param *parameter)
{
	if (group)
		return -EBUSY;
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return -ENOMEM;
	INIT_LIST_HEAD(&group->clients);
	last_group = group;
	return 0;
}

static int set_drop(const char *value, const struct kernel_param *parameter)
{
	kfree(group);
	group = NULL;
	return 0;
}

static noinline int group_join(struct group *joined)
{
	struct client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return -ENOMEM;
	client->id = ++joined->count;
	list_add_tail(&client->link, &joined->clients); /* BUG: the group was freed */
	return 0;
}

static int set_join(const char *value, const struct kernel_param *parameter)
{
	return last_group ? group_join(last_group) : -ENOENT;
}

static const struct kernel_param_ops create_ops = { .set = set_create };
static const struct kernel_param_ops drop_ops = { .set = set_drop };
static const struct kernel_param_ops join_ops = { .set = set_join };

module_param_cb(create, &create_ops, NULL, 0200);
module_param_cb(drop, &drop_ops, NULL, 0200);
module_param_cb(join, &join_ops, NULL, 0200);

static int __init grpfree_init(void)
{
	return 0;
}

static void __exit grpfree_exit(void)
{
	kfree(group);
}

module_init(grpfree_init);
module_exit(grpfree_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A group of clients");

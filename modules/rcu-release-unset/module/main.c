// SPDX-License-Identifier: GPL-2.0
/* Tags are added and dropped by module parameters: add, drop, withdraw. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "tagstore.h"

static void colour_release(struct tag *tag)
{
	memset(tag->name, 0, TAG_NAME_SIZE);
	kfree(tag);
}

static const struct tag_ops colour_ops = {
	.release = colour_release,
};

static struct tag_type colours = {
	.name = "colour",
	.ops = &colour_ops,
};

static int with_name(const char *value, int (*change)(struct tag_type *type, const char *name))
{
	char name[TAG_NAME_SIZE] = "";

	if (sscanf(value, "%23s", name) != 1)
		return -EINVAL;
	return change(&colours, name);
}

static int set_add(const char *value, const struct kernel_param *parameter)
{
	return with_name(value, tag_add);
}

static int set_drop(const char *value, const struct kernel_param *parameter)
{
	return with_name(value, tag_drop);
}

static int set_withdraw(const char *value, const struct kernel_param *parameter)
{
	tag_type_withdraw(&colours);
	return 0;
}

static const struct kernel_param_ops add_ops = { .set = set_add };
static const struct kernel_param_ops drop_ops = { .set = set_drop };
static const struct kernel_param_ops withdraw_ops = { .set = set_withdraw };

module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(drop, &drop_ops, NULL, 0200);
module_param_cb(withdraw, &withdraw_ops, NULL, 0200);

static int __init tagstore_init(void)
{
	return 0;
}

static void __exit tagstore_exit(void)
{
	colours.ops = &colour_ops;
	tag_drop_all(&colours);
	rcu_barrier();
}

module_init(tagstore_init);
module_exit(tagstore_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Tags that are read under RCU");

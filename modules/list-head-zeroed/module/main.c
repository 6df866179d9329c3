// SPDX-License-Identifier: GPL-2.0
/* Pools are made and used by module parameters: create, attach. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "poolmgr.h"

static int set_create(const char *value, const struct kernel_param *parameter)
{
	char name[POOL_NAME_SIZE] = "";
	unsigned int depth;

	if (sscanf(value, "%15s %u", name, &depth) != 2)
		return -EINVAL;
	return pool_create(name, depth);
}

static int set_attach(const char *value, const struct kernel_param *parameter)
{
	char name[POOL_NAME_SIZE] = "";

	if (sscanf(value, "%15s", name) != 1)
		return -EINVAL;
	return pool_attach(name);
}

static const struct kernel_param_ops create_ops = { .set = set_create };
static const struct kernel_param_ops attach_ops = { .set = set_attach };

module_param_cb(create, &create_ops, NULL, 0200);
module_param_cb(attach, &attach_ops, NULL, 0200);

static int __init poolmgr_init(void)
{
	return 0;
}

static void __exit poolmgr_exit(void)
{
	pool_destroy_all();
}

module_init(poolmgr_init);
module_exit(poolmgr_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Pools of buffers and their users");

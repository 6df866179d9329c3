// SPDX-License-Identifier: GPL-2.0
/* A user's number, written to the parameter `follow`, has that user's writes counted. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "opentrace.h"

struct opentrace_table opentrace_table;

struct opentrace_user *opentrace_find(unsigned int uid)
{
	unsigned int i;

	for (i = 0; i < opentrace_table.count; i++) {
		if (opentrace_table.users[i]->uid == uid)
			return opentrace_table.users[i];
	}
	return NULL;
}

static int set_follow(const char *value, const struct kernel_param *parameter)
{
	struct opentrace_user *user;
	unsigned int uid;
	int result = kstrtouint(value, 10, &uid);

	if (result)
		return result;
	if (opentrace_find(uid) || opentrace_table.count == OPENTRACE_USERS)
		return -EINVAL;
	user = kzalloc(sizeof(*user), GFP_KERNEL);
	if (!user)
		return -ENOMEM;
	user->uid = uid;
	opentrace_table.users[opentrace_table.count] = user;
	opentrace_table.count++;
	return 0;
}

static const struct kernel_param_ops follow_ops = { .set = set_follow };
module_param_cb(follow, &follow_ops, NULL, 0200);

static int __init opentrace_init(void)
{
	return opentrace_probe_install();
}

static void __exit opentrace_exit(void)
{
	unsigned int i;

	opentrace_probe_remove();
	for (i = 0; i < opentrace_table.count; i++)
		kfree(opentrace_table.users[i]);
}

module_init(opentrace_init);
module_exit(opentrace_exit);
MODULE_DESCRIPTION("Counts the writes of users");
MODULE_LICENSE("GPL");

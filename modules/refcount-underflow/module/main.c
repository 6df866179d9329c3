// SPDX-License-Identifier: GPL-2.0
/* Users are numbers, written to `attach` and `detach`. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "shmbuf.h"

static int number_of(const char *value, int (*use)(unsigned int user))
{
	unsigned int user;
	int result = kstrtouint(value, 10, &user);

	return result ? result : use(user);
}

static int set_attach(const char *value, const struct kernel_param *parameter)
{
	return number_of(value, shmbuf_attach);
}

static int set_detach(const char *value, const struct kernel_param *parameter)
{
	return number_of(value, shmbuf_detach);
}

static const struct kernel_param_ops attach_ops = { .set = set_attach };
static const struct kernel_param_ops detach_ops = { .set = set_detach };

module_param_cb(attach, &attach_ops, NULL, 0200);
module_param_cb(detach, &detach_ops, NULL, 0200);

static int __init shmbuf_init(void)
{
	return shmbuf_create();
}

static void __exit shmbuf_exit(void)
{
}

module_init(shmbuf_init);
module_exit(shmbuf_exit);
MODULE_DESCRIPTION("Shares buffers");
MODULE_LICENSE("GPL");

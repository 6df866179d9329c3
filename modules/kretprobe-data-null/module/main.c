// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include "openwatch.h"

static int set_watch(const char *value, const struct kernel_param *parameter)
{
	char prefix[16];

	if (sscanf(value, "%15s", prefix) != 1)
		return -EINVAL;
	return watch_add(prefix, strlen(prefix) > 3);
}
static const struct kernel_param_ops watch_ops = { .set = set_watch };
module_param_cb(watch, &watch_ops, NULL, 0200);
static int __init openwatch_init(void) { return openwatch_attach(); }
static void __exit openwatch_exit(void) { openwatch_detach(); }
module_init(openwatch_init);
module_exit(openwatch_exit);
MODULE_DESCRIPTION("Watches open");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "session.h"

static int set_open(const char *value, const struct kernel_param *parameter)
{
	unsigned int id;
	char peer[48];

	if (sscanf(value, "%u %47s", &id, peer) != 2)
		return -EINVAL;
	return session_open(id, peer);
}
static int set_close(const char *value, const struct kernel_param *parameter)
{
	unsigned int id;
	int error = kstrtouint(value, 0, &id);

	return error ? error : session_close(id);
}
static const struct kernel_param_ops open_ops = { .set = set_open };
static const struct kernel_param_ops close_ops = { .set = set_close };
module_param_cb(open, &open_ops, NULL, 0200);
module_param_cb(close, &close_ops, NULL, 0200);
static int __init sessions_init(void) { return 0; }
static void __exit sessions_exit(void) { session_close_all(); }
module_init(sessions_init);
module_exit(sessions_exit);
MODULE_DESCRIPTION("Sessions that expire");
MODULE_LICENSE("GPL");

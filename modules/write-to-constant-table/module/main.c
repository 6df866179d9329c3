// SPDX-License-Identifier: GPL-2.0
/* A protocol and a word, written to the parameter `send`. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "proto.h"

static long last;

static int set_send(const char *value, const struct kernel_param *parameter)
{
	const struct proto_handler *handler;
	char name[16];
	long word;

	if (sscanf(value, "%15s %ld", name, &word) != 2)
		return -EINVAL;
	handler = proto_find(name);
	if (!handler)
		return -ENOENT;
	last = proto_use(handler, word);
	return 0;
}

static const struct kernel_param_ops send_ops = { .set = set_send };

module_param_cb(send, &send_ops, NULL, 0200);
module_param(last, long, 0444);

static int __init proto_init(void)
{
	return 0;
}

static void __exit proto_exit(void)
{
}

module_init(proto_init);
module_exit(proto_exit);
MODULE_DESCRIPTION("Sends words to handlers");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* An address, written to the parameter `host`, makes its ICMP packets to itself a known flow. */
#include <linux/in.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "flowacct.h"

static int set_host(const char *value, const struct kernel_param *parameter)
{
	struct flowacct_key key = { .protocol = IPPROTO_ICMP };
	u8 address[4];

	if (!in4_pton(value, -1, address, '\n', NULL))
		return -EINVAL;
	memcpy(&key.from, address, sizeof(key.from));
	key.to = key.from;
	return flowacct_add(&key);
}

static const struct kernel_param_ops host_ops = { .set = set_host };
module_param_cb(host, &host_ops, NULL, 0200);

static int __init flowacct_init(void)
{
	return flowacct_hook_install();
}

static void __exit flowacct_exit(void)
{
	flowacct_hook_remove();
	flowacct_clear();
}

module_init(flowacct_init);
module_exit(flowacct_exit);
MODULE_DESCRIPTION("Counts the bytes of flows");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* Through module parameters: `send` takes a word, `status` sets what the port answers. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "hwport.h"

static struct hwport port;

static int set_send(const char *value, const struct kernel_param *parameter)
{
	unsigned int word;
	int result = kstrtouint(value, 0, &word);

	return result ? result : hwport_send(&port, word);
}

static int set_status(const char *value, const struct kernel_param *parameter)
{
	return kstrtouint(value, 0, &port.registers->status);
}

static const struct kernel_param_ops send_ops = { .set = set_send };
static const struct kernel_param_ops status_ops = { .set = set_status };

module_param_cb(send, &send_ops, NULL, 0200);
module_param_cb(status, &status_ops, NULL, 0200);

static int __init hwport_init(void)
{
	spin_lock_init(&port.lock);
	port.registers = kzalloc(sizeof(*port.registers), GFP_KERNEL);
	return port.registers ? 0 : -ENOMEM;
}

static void __exit hwport_exit(void)
{
	kfree(port.registers);
}

module_init(hwport_init);
module_exit(hwport_exit);
MODULE_DESCRIPTION("Drives a port");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* A command is two numbers, written to the parameter "command". */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "cmdmux.h"

static struct cmdmux_device device = {
	.protocol = &cmdmux_protocol,
	.limit = 1000,
};

static int set_command(const char *value, const struct kernel_param *parameter)
{
	unsigned int code, argument;

	if (sscanf(value, "%u %u", &code, &argument) != 2)
		return -EINVAL;
	return cmdmux_dispatch(&device, code, argument);
}

static const struct kernel_param_ops command_ops = { .set = set_command };

module_param_cb(command, &command_ops, NULL, 0200);

static int __init cmdmux_init(void)
{
	return 0;
}

static void __exit cmdmux_exit(void)
{
}

module_init(cmdmux_init);
module_exit(cmdmux_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Commands by their codes");

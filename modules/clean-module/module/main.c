// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "pulse.h"

static struct pulse *pulse;

static unsigned int period_ms = 20;
module_param(period_ms, uint, 0444);

static int get_handled(char *text, const struct kernel_param *parameter)
{
	return sprintf(text, "%llu\n", pulse ? pulse_handled(pulse) : 0);
}

static const struct kernel_param_ops handled_ops = { .get = get_handled };
module_param_cb(handled, &handled_ops, NULL, 0444);

static int __init pulse_init(void)
{
	pulse = pulse_create(period_ms);
	return pulse ? 0 : -ENOMEM;
}

static void __exit pulse_exit(void)
{
	pulse_destroy(pulse);
}

module_init(pulse_init);
module_exit(pulse_exit);
MODULE_DESCRIPTION("Counts from a timer");
MODULE_LICENSE("GPL");

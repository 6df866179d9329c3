// SPDX-License-Identifier: GPL-2.0
/* A mode and a step, written to the parameter `sum`. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "cursor.h"

static u64 last;

static int set_sum(const char *value, const struct kernel_param *parameter)
{
	unsigned int mode, step;

	if (sscanf(value, "%u %u", &mode, &step) != 2 || !step)
		return -EINVAL;
	last = cursor_mix(step);
	last = cursor_sum(mode, step);
	return 0;
}

static const struct kernel_param_ops sum_ops = { .set = set_sum };

module_param_cb(sum, &sum_ops, NULL, 0200);
module_param_named(last, last, ullong, 0444);

static int __init cursor_init(void)
{
	return 0;
}

static void __exit cursor_exit(void)
{
}

module_init(cursor_init);
module_exit(cursor_exit);
MODULE_DESCRIPTION("Walks over blocks of words");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* A value, written to the parameter `value`, is counted. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "histo.h"

static struct histo histogram;

static unsigned int buckets = 512;
static unsigned int width = 10;
module_param(buckets, uint, 0444);
module_param(width, uint, 0444);

static int set_value(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	int result = kstrtouint(value, 10, &number);

	if (!result)
		histo_count(&histogram, number);
	return result;
}

static const struct kernel_param_ops value_ops = { .set = set_value };
module_param_cb(value, &value_ops, NULL, 0200);

static int __init histo_init(void)
{
	return histo_create(&histogram, buckets, width);
}

static void __exit histo_exit(void)
{
	histo_destroy(&histogram);
}

module_init(histo_init);
module_exit(histo_exit);
MODULE_DESCRIPTION("Counts values in buckets");
MODULE_LICENSE("GPL");

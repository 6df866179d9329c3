// SPDX-License-Identifier: GPL-2.0
/* Through module parameters: `watch` and `watch_once` take a number, and so does `report`. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "watchset.h"

static unsigned int told;

static int number_of(const char *value, unsigned int *number)
{
	return kstrtouint(value, 10, number);
}

static int set_watch(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	int result = number_of(value, &number);

	return result ? result : watchset_add(number, false);
}

static int set_watch_once(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	int result = number_of(value, &number);

	return result ? result : watchset_add(number, true);
}

static int set_report(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	int result = number_of(value, &number);

	if (!result)
		told += watchset_report(number);
	return result;
}

static const struct kernel_param_ops watch_ops = { .set = set_watch };
static const struct kernel_param_ops watch_once_ops = { .set = set_watch_once };
static const struct kernel_param_ops report_ops = { .set = set_report };

module_param_cb(watch, &watch_ops, NULL, 0200);
module_param_cb(watch_once, &watch_once_ops, NULL, 0200);
module_param_cb(report, &report_ops, NULL, 0200);
module_param(told, uint, 0444);

static int __init watchset_init(void)
{
	return 0;
}

static void __exit watchset_exit(void)
{
	watchset_clear();
}

module_init(watchset_init);
module_exit(watchset_exit);
MODULE_DESCRIPTION("Tells watchers of numbers");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* `limit` compiles a filter, `test` runs it on a number. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "minijit.h"

static struct minijit_filter *filter;
static unsigned int matched;

static int set_limit(const char *value, const struct kernel_param *parameter)
{
	unsigned int limit;
	int result = kstrtouint(value, 10, &limit);

	if (result)
		return result;
	if (filter)
		minijit_free(filter);
	filter = minijit_compile(limit);
	return filter ? 0 : -ENOMEM;
}

static int set_test(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	int result = kstrtouint(value, 10, &number);

	if (result || !filter)
		return result ? result : -EINVAL;
	if (minijit_run(filter, number))
		matched++;
	return 0;
}

static const struct kernel_param_ops limit_ops = { .set = set_limit };
static const struct kernel_param_ops test_ops = { .set = set_test };

module_param_cb(limit, &limit_ops, NULL, 0200);
module_param_cb(test, &test_ops, NULL, 0200);
module_param(matched, uint, 0444);

static int __init minijit_init(void)
{
	return 0;
}

static void __exit minijit_exit(void)
{
	if (filter)
		minijit_free(filter);
}

module_init(minijit_init);
module_exit(minijit_exit);
MODULE_DESCRIPTION("Compiles small filters");
MODULE_LICENSE("GPL");

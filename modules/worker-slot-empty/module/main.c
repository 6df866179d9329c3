// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "pool.h"

static unsigned int workers = 2;
module_param(workers, uint, 0444);

static int set_submit(const char *value, const struct kernel_param *parameter)
{
	unsigned int id;
	int error = kstrtouint(value, 0, &id);

	if (!error)
		scan_pool_submit(id);
	return error;
}
static const struct kernel_param_ops submit_ops = { .set = set_submit };
module_param_cb(submit, &submit_ops, NULL, 0200);

static int __init scanpool_init(void)
{
	return scan_pool_start(workers);
}
static void __exit scanpool_exit(void)
{
	scan_pool_stop();
}
module_init(scanpool_init);
module_exit(scanpool_exit);
MODULE_DESCRIPTION("Scans files in the background");
MODULE_LICENSE("GPL");

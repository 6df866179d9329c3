// SPDX-License-Identifier: GPL-2.0
/* A write to the parameter `check` checks again. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "selftest.h"

static bool strong = true;
module_param(strong, bool, 0444);

static struct selftest_block block;
static struct selftest_operations operations;

static int set_check(const char *value, const struct kernel_param *parameter)
{
	return selftest_check(&operations, &block) ? 0 : -EIO;
}

static const struct kernel_param_ops check_ops = { .set = set_check };
module_param_cb(check, &check_ops, NULL, 0200);

static int __init selftest_init(void)
{
	unsigned int i;

	for (i = 0; i < SELFTEST_WORDS; i++)
		block.words[i] = i * 2654435761U;
	selftest_choose(&operations, strong);
	block.checksum = operations.checksum(&block);
	return selftest_check(&operations, &block) ? 0 : -EIO;
}

static void __exit selftest_exit(void)
{
}

module_init(selftest_init);
module_exit(selftest_exit);
MODULE_DESCRIPTION("Checks a block of words");
MODULE_LICENSE("GPL");

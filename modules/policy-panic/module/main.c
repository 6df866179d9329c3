// SPDX-License-Identifier: GPL-2.0
/* `set` takes INDEX VALUE, `seal` an INDEX, `verify` anything. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "sealcheck.h"

static struct sealcheck check;

static int set_set(const char *value, const struct kernel_param *parameter)
{
	unsigned int index, number;

	if (sscanf(value, "%u %u", &index, &number) != 2)
		return -EINVAL;
	return sealcheck_set(&check, index, number);
}

static int set_seal(const char *value, const struct kernel_param *parameter)
{
	unsigned int index;
	int result = kstrtouint(value, 10, &index);

	return result ? result : sealcheck_seal(&check, index);
}

static int set_verify(const char *value, const struct kernel_param *parameter)
{
	sealcheck_verify(&check);
	return 0;
}

static const struct kernel_param_ops set_ops = { .set = set_set };
static const struct kernel_param_ops seal_ops = { .set = set_seal };
static const struct kernel_param_ops verify_ops = { .set = set_verify };

module_param_cb(set, &set_ops, NULL, 0200);
module_param_cb(seal, &seal_ops, NULL, 0200);
module_param_cb(verify, &verify_ops, NULL, 0200);

static int __init sealcheck_init(void)
{
	return 0;
}

static void __exit sealcheck_exit(void)
{
}

module_init(sealcheck_init);
module_exit(sealcheck_exit);
MODULE_DESCRIPTION("Stops the machine when a sealed value was changed");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* /dev/acctmove takes FROM TO AMOUNT. */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "acctmove.h"

static ssize_t acctmove_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char line[48];
	unsigned int from, to;
	long amount;
	int result;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%u %u %ld", &from, &to, &amount) != 3)
		return -EINVAL;
	result = acctmove_move(from, to, amount);
	return result ? result : size;
}

static const struct file_operations acctmove_fops = {
	.owner = THIS_MODULE,
	.write = acctmove_write,
};

static struct miscdevice acctmove_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "acctmove",
	.fops = &acctmove_fops,
};

static int __init acctmove_init(void)
{
	acctmove_setup();
	return misc_register(&acctmove_device);
}

static void __exit acctmove_exit(void)
{
	misc_deregister(&acctmove_device);
}

module_init(acctmove_init);
module_exit(acctmove_exit);
MODULE_DESCRIPTION("Moves amounts between accounts");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* /dev/txlock takes one command a write: begin OWNER | set INDEX VALUE | commit 0|1 | abort 0 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "txlock.h"

static DEFINE_MUTEX(txlock_mutex);
static struct txlock_transaction transaction;

static int run(const char *verb, unsigned int number, long value)
{
	if (!strcmp(verb, "begin"))
		return txlock_begin(&transaction, number);
	if (!strcmp(verb, "set"))
		return txlock_set(&transaction, number, value);
	if (!strcmp(verb, "commit"))
		return txlock_commit(&transaction, number != 0);
	if (strcmp(verb, "abort"))
		return -EINVAL;
	txlock_abort(&transaction);
	return 0;
}

static ssize_t txlock_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char line[48], verb[10] = "";
	unsigned int number;
	long value = 0;
	int result;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%9s %u %ld", verb, &number, &value) < 2)
		return -EINVAL;
	mutex_lock(&txlock_mutex);
	result = run(verb, number, value);
	mutex_unlock(&txlock_mutex);
	return result ? result : size;
}

static const struct file_operations txlock_fops = {
	.owner = THIS_MODULE,
	.write = txlock_write,
};

static struct miscdevice txlock_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "txlock",
	.fops = &txlock_fops,
};

static int __init txlock_init(void)
{
	return misc_register(&txlock_device);
}

static void __exit txlock_exit(void)
{
	misc_deregister(&txlock_device);
}

module_init(txlock_init);
module_exit(txlock_exit);
MODULE_DESCRIPTION("Transactions on a set of values");
MODULE_LICENSE("GPL");

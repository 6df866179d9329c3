// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/conftree takes one command a write:
 *   add PARENT NAME VALUE | include NAME OTHER | sum
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "conftree.h"

static DEFINE_MUTEX(lock);

static int run(const char *verb, const char *one, const char *other, long value)
{
	struct conftree_sum sum;

	if (!strcmp(verb, "add"))
		return conftree_add(one, other, value);
	if (!strcmp(verb, "include"))
		return conftree_include(one, other);
	if (strcmp(verb, "sum"))
		return -EINVAL;
	conftree_summarize(&sum);
	pr_info("conftree: %u nodes, total %ld, hash %08x\n", sum.nodes, sum.total, sum.hash);
	return 0;
}

static ssize_t conftree_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char line[96], verb[12] = "", one[CONFTREE_NAME_SIZE] = "", other[CONFTREE_NAME_SIZE] = "";
	long value = 0;
	int result;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%11s %23s %23s %ld", verb, one, other, &value) < 1)
		return -EINVAL;
	mutex_lock(&lock);
	result = run(verb, one, other, value);
	mutex_unlock(&lock);
	return result ? result : size;
}

static const struct file_operations conftree_fops = {
	.owner = THIS_MODULE,
	.write = conftree_write,
};

static struct miscdevice conftree_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "conftree",
	.fops = &conftree_fops,
};

static int __init conftree_init(void)
{
	return misc_register(&conftree_device);
}

static void __exit conftree_exit(void)
{
	misc_deregister(&conftree_device);
	conftree_clear();
}

module_init(conftree_init);
module_exit(conftree_exit);
MODULE_DESCRIPTION("Settings in a tree");
MODULE_LICENSE("GPL");

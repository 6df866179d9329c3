// SPDX-License-Identifier: GPL-2.0
/* /dev/sessd takes one command a write: open ID ACCOUNT | select ID | close ID | charge AMOUNT */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "sessd.h"

static DEFINE_MUTEX(sessd_lock);

static int run(const char *verb, unsigned int number, const char *account)
{
	if (!strcmp(verb, "open"))
		return sessd_open(number, account);
	if (!strcmp(verb, "select"))
		return sessd_select(number);
	if (!strcmp(verb, "close"))
		return sessd_close(number);
	if (!strcmp(verb, "charge"))
		return sessd_charge(number);
	return -EINVAL;
}

static ssize_t sessd_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char line[80], verb[10] = "", account[SESSD_NAME_SIZE] = "";
	unsigned int number;
	int result;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%9s %u %31s", verb, &number, account) < 2)
		return -EINVAL;
	mutex_lock(&sessd_lock);
	result = run(verb, number, account);
	mutex_unlock(&sessd_lock);
	return result ? result : size;
}

static const struct file_operations sessd_fops = {
	.owner = THIS_MODULE,
	.write = sessd_write,
};

static struct miscdevice sessd_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sessd",
	.fops = &sessd_fops,
};

static int __init sessd_init(void)
{
	return misc_register(&sessd_device);
}

static void __exit sessd_exit(void)
{
	misc_deregister(&sessd_device);
	sessd_close_all();
}

module_init(sessd_init);
module_exit(sessd_exit);
MODULE_DESCRIPTION("Sessions and their accounts");
MODULE_LICENSE("GPL");

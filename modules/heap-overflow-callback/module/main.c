// SPDX-License-Identifier: GPL-2.0
/* /dev/chantab takes one command a write: open COUNT | label TEXT | deliver NUMBER */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "chantab.h"

static DEFINE_MUTEX(chantab_lock);

static int open_some(unsigned int count)
{
	unsigned int i;
	int result = 0;

	for (i = 0; i < count && !result; i++)
		result = chantab_open(i);
	return result;
}

static int label_all(const char *text)
{
	struct chantab_channel *channel;
	unsigned int i;
	int result = 0;

	for (i = 0; (channel = chantab_get(i)) != NULL && !result; i++)
		result = chantab_set_label(channel, text);
	return result;
}

static int run(const char *verb, const char *argument)
{
	unsigned int count;
	long number;

	if (!strcmp(verb, "label"))
		return label_all(argument);
	if (!strcmp(verb, "open") && !kstrtouint(argument, 10, &count))
		return open_some(count);
	if (!strcmp(verb, "deliver") && !kstrtol(argument, 10, &number))
		return chantab_deliver(number);
	return -EINVAL;
}

static ssize_t chantab_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char line[160], verb[10] = "", argument[128] = "";
	int result;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%9s %127s", verb, argument) != 2)
		return -EINVAL;
	mutex_lock(&chantab_lock);
	result = run(verb, argument);
	mutex_unlock(&chantab_lock);
	return result ? result : size;
}

static const struct file_operations chantab_fops = {
	.owner = THIS_MODULE,
	.write = chantab_write,
};

static struct miscdevice chantab_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "chantab",
	.fops = &chantab_fops,
};

static int __init chantab_init(void)
{
	int result;

	chantab_cache = kmem_cache_create("chantab", CHANTAB_LABEL_SIZE, 0, 0, NULL);
	if (!chantab_cache)
		return -ENOMEM;
	result = misc_register(&chantab_device);
	if (result)
		kmem_cache_destroy(chantab_cache);
	return result;
}

static void __exit chantab_exit(void)
{
	misc_deregister(&chantab_device);
	chantab_close_all();
	kmem_cache_destroy(chantab_cache);
}

module_init(chantab_init);
module_exit(chantab_exit);
MODULE_DESCRIPTION("Delivers numbers to channels");
MODULE_LICENSE("GPL");

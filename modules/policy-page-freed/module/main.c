// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/pagepol takes commands, one a line:
 *   load allow|deny PORT | ask PORT | unload
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "pagepol.h"

static DEFINE_MUTEX(pagepol_lock);

static int run(const char *line)
{
	unsigned int port = 0;
	char name[8] = "";

	if (sscanf(line, "load %7s %u", name, &port) == 2)
		return pagepol_load(name, port);
	if (sscanf(line, "ask %u", &port) == 1) {
		pr_info("port %u: %d\n", port, pagepol_ask(port));
		return 0;
	}
	if (!strcmp(line, "unload")) {
		pagepol_unload();
		return 0;
	}
	return -EINVAL;
}

static ssize_t pagepol_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char text[256], *rest = text, *line;
	int result = 0;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, data, size))
		return -EFAULT;
	text[size] = '\0';
	mutex_lock(&pagepol_lock);
	while (!result && (line = strsep(&rest, "\n")) != NULL) {
		if (*line)
			result = run(line);
	}
	mutex_unlock(&pagepol_lock);
	return result ? result : size;
}

static const struct file_operations pagepol_fops = {
	.owner = THIS_MODULE,
	.write = pagepol_write,
};

static struct miscdevice pagepol_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pagepol",
	.fops = &pagepol_fops,
};

static int __init pagepol_init(void)
{
	return misc_register(&pagepol_device);
}

static void __exit pagepol_exit(void)
{
	misc_deregister(&pagepol_device);
	pagepol_unload();
}

module_init(pagepol_init);
module_exit(pagepol_exit);

MODULE_DESCRIPTION("A policy of ports that fills a page");
MODULE_LICENSE("GPL");

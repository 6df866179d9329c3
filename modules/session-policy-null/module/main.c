// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/fileguard takes one command a write:
 *   open SESSION | attach SESSION MASK | deny SESSION PREFIX | check SESSION PATH
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "fileguard.h"

static DEFINE_MUTEX(command_lock);

static int command_check(const char *name, const char *path)
{
	struct fg_request request = { .access = FG_READ };

	request.session = fg_session_find(name);
	if (!request.session)
		return -ENOENT;
	snprintf(request.path, sizeof(request.path), "%s", path);
	return fg_check(&request) == FG_ALLOW ? 0 : -EACCES;
}

static int command(const char *verb, const char *name, const char *argument)
{
	u32 mask;

	if (!strcmp(verb, "open"))
		return fg_session_open(name);
	if (!strcmp(verb, "attach")) {
		if (kstrtou32(argument, 0, &mask))
			return -EINVAL;
		return fg_session_attach(name, mask);
	}
	if (!strcmp(verb, "deny"))
		return fg_session_deny(name, argument);
	if (!strcmp(verb, "check"))
		return command_check(name, argument);
	return -EINVAL;
}

static ssize_t fileguard_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char line[192], verb[16] = "", name[FG_NAME_SIZE] = "", argument[FG_PATH_SIZE] = "";
	int result;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%15s %31s %127s", verb, name, argument) < 2)
		return -EINVAL;
	mutex_lock(&command_lock);
	result = command(verb, name, argument);
	mutex_unlock(&command_lock);
	return result ? result : size;
}

static const struct file_operations fileguard_fops = {
	.owner = THIS_MODULE,
	.write = fileguard_write,
};

static struct miscdevice fileguard_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "fileguard",
	.fops = &fileguard_fops,
};

static int __init fileguard_init(void)
{
	return misc_register(&fileguard_device);
}

static void __exit fileguard_exit(void)
{
	misc_deregister(&fileguard_device);
	fg_session_close_all();
}

module_init(fileguard_init);
module_exit(fileguard_exit);
MODULE_DESCRIPTION("Decides which session may open which path");
MODULE_LICENSE("GPL");

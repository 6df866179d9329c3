// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/hooktab takes commands, one a line:
 *   add NUMBER NAME | run NUMBER ARGUMENT | remove NUMBER | note COUNT TEXT
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "hooktab.h"

static DEFINE_MUTEX(hooktab_lock);

static int note(unsigned int count, const char *text)
{
	int result = 0;

	while (count-- && !result)
		result = hooktab_note(text);
	return result;
}

static int run(const char *line)
{
	char verb[8] = "", word[32] = "";
	unsigned int number;
	long argument = 0;

	if (sscanf(line, "%7s %u %31s", verb, &number, word) < 2)
		return -EINVAL;
	if (!strcmp(verb, "add"))
		return hooktab_add(number, word);
	if (!strcmp(verb, "remove"))
		return hooktab_remove(number);
	if (!strcmp(verb, "note"))
		return note(number, word);
	if (!strcmp(verb, "run") && !kstrtol(word, 10, &argument))
		return hooktab_run(number, argument);
	return -EINVAL;
}

static ssize_t hooktab_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char text[256], *rest = text, *line;
	int result = 0;

	if (size >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, data, size))
		return -EFAULT;
	text[size] = '\0';
	mutex_lock(&hooktab_lock);
	while (!result && (line = strsep(&rest, "\n")) != NULL) {
		if (*line)
			result = run(line);
	}
	mutex_unlock(&hooktab_lock);
	return result ? result : size;
}

static const struct file_operations hooktab_fops = {
	.owner = THIS_MODULE,
	.write = hooktab_write,
};

static struct miscdevice hooktab_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "hooktab",
	.fops = &hooktab_fops,
};

static int __init hooktab_init(void)
{
	return misc_register(&hooktab_device);
}

static void __exit hooktab_exit(void)
{
	misc_deregister(&hooktab_device);
	hooktab_remove_all();
	hooktab_forget_notes();
}

module_init(hooktab_init);
module_exit(hooktab_exit);
MODULE_DESCRIPTION("Runs hooks by their number");
MODULE_LICENSE("GPL");

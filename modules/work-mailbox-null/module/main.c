// SPDX-License-Identifier: GPL-2.0
/* /dev/jobq takes one command a write: open NAME | close NAME | submit NAME OPERATION NUMBER */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "jobq.h"

static int submit(const char *name, const char *operation, u64 argument)
{
	struct jobq_client *client = jobq_client_find(name);

	if (!client || !client->mailbox)
		return -ENOENT;
	return jobq_submit(client, operation, argument);
}

static ssize_t jobq_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	char line[96], verb[8] = "", name[JOBQ_NAME_SIZE] = "", operation[16] = "";
	unsigned long long argument = 0;
	int result = -EINVAL;

	if (size >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, data, size))
		return -EFAULT;
	line[size] = '\0';
	if (sscanf(line, "%7s %23s %15s %llu", verb, name, operation, &argument) < 2)
		return -EINVAL;
	mutex_lock(&jobq_clients_lock);
	if (!strcmp(verb, "open"))
		result = jobq_client_open(name);
	else if (!strcmp(verb, "close"))
		result = jobq_client_close(name);
	else if (!strcmp(verb, "submit"))
		result = submit(name, operation, argument);
	mutex_unlock(&jobq_clients_lock);
	return result ? result : size;
}

static const struct file_operations jobq_fops = {
	.owner = THIS_MODULE,
	.write = jobq_write,
};

static struct miscdevice jobq_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "jobq",
	.fops = &jobq_fops,
};

static int __init jobq_init(void)
{
	int result = jobq_start();

	if (result)
		return result;
	result = misc_register(&jobq_device);
	if (result)
		jobq_stop();
	return result;
}

static void __exit jobq_exit(void)
{
	misc_deregister(&jobq_device);
	jobq_stop();
}

module_init(jobq_init);
module_exit(jobq_exit);
MODULE_DESCRIPTION("Does small jobs in the background");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* /dev/cmdport takes packets. */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "cmdport.h"

static struct cmdport_counts counts;

static ssize_t cmdport_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	const struct cmdport_packet *packet = (const void __force *)data;
	int result;

	if (size != sizeof(*packet))
		return -EINVAL;
	result = cmdport_accept(packet, &counts);
	return result < 0 ? result : size;
}

static const struct file_operations cmdport_fops = {
	.owner = THIS_MODULE,
	.write = cmdport_write,
};

static struct miscdevice cmdport_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cmdport",
	.fops = &cmdport_fops,
};

static int __init cmdport_init(void)
{
	return misc_register(&cmdport_device);
}

static void __exit cmdport_exit(void)
{
	pr_info("cmdport: %llu accepted, %llu refused\n", counts.accepted, counts.refused);
	misc_deregister(&cmdport_device);
}

module_init(cmdport_init);
module_exit(cmdport_exit);
MODULE_DESCRIPTION("Takes packets of commands");
MODULE_LICENSE("GPL");

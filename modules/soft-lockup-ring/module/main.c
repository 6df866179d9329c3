// SPDX-License-Identifier: GPL-2.0
/* A read of /dev/ringwait takes as many words as fit. */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "ringwait.h"

static ssize_t ringwait_read(struct file *file, char __user *data, size_t size, loff_t *at)
{
	size_t done = 0;

	while (size - done >= sizeof(u64)) {
		u64 word = ringwait_take(&ringwait_ring);

		if (copy_to_user(data + done, &word, sizeof(word)))
			return -EFAULT;
		done += sizeof(word);
	}
	return done;
}

static const struct file_operations ringwait_fops = {
	.owner = THIS_MODULE,
	.read = ringwait_read,
};

static struct miscdevice ringwait_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ringwait",
	.fops = &ringwait_fops,
};

static int __init ringwait_init(void)
{
	int result = ringwait_producer_start();

	if (result)
		return result;
	result = misc_register(&ringwait_device);
	if (result)
		ringwait_producer_stop();
	return result;
}

static void __exit ringwait_exit(void)
{
	misc_deregister(&ringwait_device);
	ringwait_producer_stop();
}

module_init(ringwait_init);
module_exit(ringwait_exit);
MODULE_DESCRIPTION("Passes words from a thread to a reader");
MODULE_LICENSE("GPL");

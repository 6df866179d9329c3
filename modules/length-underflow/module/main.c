// SPDX-License-Identifier: GPL-2.0
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "frame.h"

static int frameparse_open(struct inode *inode, struct file *file)
{
	file->private_data = vzalloc(sizeof(struct frame_buffer));
	return file->private_data ? 0 : -ENOMEM;
}
static int frameparse_release(struct inode *inode, struct file *file)
{
	vfree(file->private_data);
	return 0;
}
static ssize_t frameparse_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	u8 bytes[128];
	int error;

	if (size > sizeof(bytes))
		return -EMSGSIZE;
	if (copy_from_user(bytes, from, size))
		return -EFAULT;
	error = frame_accept(file->private_data, bytes, size);
	return error ? error : size;
}
static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = frameparse_open,
	.release = frameparse_release,
	.write = frameparse_write,
};
static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "frameparse",
	.fops = &operations,
};

static int __init frameparse_init(void) { return misc_register(&device); }
static void __exit frameparse_exit(void) { misc_deregister(&device); }
module_init(frameparse_init);
module_exit(frameparse_exit);
MODULE_DESCRIPTION("Takes frames apart");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/fs.h>
#include <linux/uaccess.h>

#include "cache.h"

static ssize_t inodecache_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	char line[64], word;
	unsigned long long ino;
	unsigned int verdict = 0;
	int error;

	if (size >= sizeof(line) || copy_from_user(line, from, size))
		return -EFAULT;
	line[size] = 0;
	if (sscanf(line, "%c %llu %u", &word, &ino, &verdict) < 2)
		return -EINVAL;
	switch (word) {
	case '+':
		error = inode_cache_insert(&inode_cache, ino, verdict);
		break;
	case '-':
		error = inode_cache_forget(&inode_cache, ino);
		break;
	case '?':
		error = inode_cache_verdict(&inode_cache, ino);
		break;
	default:
		error = -EINVAL;
	}
	return error < 0 ? error : size;
}

static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.write = inodecache_write,
};
static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "inodecache",
	.fops = &operations,
};

static int __init inodecache_init(void)
{
	return misc_register(&device);
}
static void __exit inodecache_exit(void)
{
	misc_deregister(&device);
}
module_init(inodecache_init);
module_exit(inodecache_exit);
MODULE_DESCRIPTION("Remembers verdicts by inode");
MODULE_LICENSE("GPL");

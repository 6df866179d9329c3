// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/refcount.h>
#include <linux/slab.h>

struct buffer {
	refcount_t users;
	unsigned int length;
	char *data;
};
static struct buffer *buffer;

static void buffer_put(struct buffer *buffer)
{
	if (refcount_dec_and_test(&buffer->users)) {
		kfree(buffer->data);
		buffer->data = NULL;
	}
}

static int buffer_detach(struct buffer *buffer)
{
	buffer_put(buffer);
	buffer_put(buffer); /* once more than it was taken: the kernel warns of it */
	return 0;
}

static int buffer_write(struct buffer *buffer, char byte)
{
	buffer->data[0] = byte; /* BUG: the data is gone with the last user */
	return 0;
}

static int set_detach(const char *value, const struct kernel_param *parameter)
{
	return buffer_detach(buffer);
}
static int set_write(const char *value, const struct kernel_param *parameter)
{
	return buffer_write(buffer, value[0]);
}
static const struct kernel_param_ops detach_ops = { .set = set_detach };
static const struct kernel_param_ops write_ops = { .set = set_write };
module_param_cb(detach, &detach_ops, NULL, 0200);
module_param_cb(write, &write_ops, NULL, 0200);
static int __init bufref_init(void)
{
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	buffer->data = kzalloc(64, GFP_KERNEL);
	if (!buffer->data)
		return -ENOMEM;
	refcount_set(&buffer->users, 1);
	return 0;
}
static void __exit bufref_exit(void)
{
	kfree(buffer->data);
	kfree(buffer);
}
module_init(bufref_init);
module_exit(bufref_exit);
MODULE_DESCRIPTION("Buffers");
MODULE_LICENSE("GPL");

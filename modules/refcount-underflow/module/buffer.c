// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/slab.h>

#include "shmbuf.h"

static struct shmbuf_buffer *buffer;
static struct shmbuf_user users[SHMBUF_USERS];

int shmbuf_create(void)
{
	if (buffer)
		return -EEXIST;
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	refcount_set(&buffer->references, 1);
	return 0;
}

int shmbuf_attach(unsigned int user)
{
	if (!buffer || user >= SHMBUF_USERS || users[user].attached)
		return -EINVAL;
	refcount_inc(&buffer->references);
	users[user].attached = true;
	return 0;
}

/* The memory of a buffer nobody refers to stays for the next user. */
static void put(struct shmbuf_buffer *buffer)
{
	if (refcount_dec_and_test(&buffer->references)) /* BUG: a user detaches as often as it likes */
		buffer->length = 0;
}

int shmbuf_detach(unsigned int user)
{
	if (!buffer || user >= SHMBUF_USERS)
		return -EINVAL;
	users[user].attached = false;
	users[user].detaches++;
	put(buffer);
	return 0;
}

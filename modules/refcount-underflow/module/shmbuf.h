/* SPDX-License-Identifier: GPL-2.0 */
/* shmbuf shares buffers between users that count their references. */
#ifndef SHMBUF_H
#define SHMBUF_H

#include <linux/refcount.h>
#include <linux/types.h>

#define SHMBUF_USERS 4
#define SHMBUF_SIZE 128

struct shmbuf_buffer {
	refcount_t references;
	unsigned int length;
	u8 data[SHMBUF_SIZE];
};

struct shmbuf_user {
	bool attached;
	unsigned int detaches;
};

int shmbuf_create(void);
int shmbuf_attach(unsigned int user);
int shmbuf_detach(unsigned int user);

#endif

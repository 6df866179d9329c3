/* SPDX-License-Identifier: GPL-2.0 */
/* poolmgr has pools of buffers; users attach to them. */
#ifndef POOLMGR_H
#define POOLMGR_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

#define POOL_NAME_SIZE 16

struct pool {
	struct list_head node;
	char name[POOL_NAME_SIZE];
	unsigned int depth;
	struct list_head users;
	void **slots;
};

struct pool_user {
	struct list_head node;
	struct pool *pool;
	unsigned int taken;
};

/* pool.c */
int pool_create(const char *name, unsigned int depth);
int pool_attach(const char *name);
void pool_destroy_all(void);

#endif

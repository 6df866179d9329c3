/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SCANPOOL_H
#define SCANPOOL_H
#include <linux/types.h>
#include <linux/wait.h>

#define SCANPOOL_WORKERS 4

struct scan_request {
	u32 id;
	u32 priority;
	char path[32];
};

struct scan_worker {
	struct list_head idle;
	unsigned int done;
	struct scan_request *current_request;
};

struct scan_pool {
	wait_queue_head_t wait;
	unsigned long pending;
	struct task_struct *thread;
	struct scan_worker *workers[SCANPOOL_WORKERS];
};

extern struct scan_pool scan_pool;
int scan_pool_start(unsigned int workers);
void scan_pool_stop(void);
void scan_pool_submit(u32 id);
#endif

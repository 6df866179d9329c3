// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "pool.h"

struct scan_pool scan_pool = {
	.wait = __WAIT_QUEUE_HEAD_INITIALIZER(scan_pool.wait),
};

static struct scan_worker *pick(struct scan_pool *pool, u32 id)
{
	return pool->workers[id % SCANPOOL_WORKERS];
}

static noinline void assign(struct scan_pool *pool, u32 id)
{
	struct scan_request *request = kzalloc(sizeof(*request), GFP_KERNEL);
	struct scan_worker *worker = pick(pool, id);

	if (!request)
		return;
	request->id = id;
	snprintf(request->path, sizeof(request->path), "/scan/%u", id);
	kfree(worker->current_request); /* BUG: the pool may have been started with fewer workers */
	worker->current_request = request;
	worker->done++;
}

static int serve(void *data)
{
	struct scan_pool *pool = data;

	while (!kthread_should_stop()) {
		unsigned long pending;

		wait_event_interruptible(pool->wait,
					 READ_ONCE(pool->pending) || kthread_should_stop());
		pending = xchg(&pool->pending, 0);
		while (pending) {
			u32 id = __ffs(pending);

			pending &= pending - 1;
			assign(pool, id);
		}
	}
	return 0;
}

void scan_pool_submit(u32 id)
{
	set_bit(id % BITS_PER_LONG, &scan_pool.pending);
	wake_up_interruptible(&scan_pool.wait);
}

int scan_pool_start(unsigned int workers)
{
	unsigned int i;

	for (i = 0; i < min_t(unsigned int, workers, SCANPOOL_WORKERS); i++) {
		scan_pool.workers[i] = kzalloc(sizeof(struct scan_worker), GFP_KERNEL);
		if (!scan_pool.workers[i])
			return -ENOMEM;
		INIT_LIST_HEAD(&scan_pool.workers[i]->idle);
	}
	scan_pool.thread = kthread_run(serve, &scan_pool, "scanpool");
	return PTR_ERR_OR_ZERO(scan_pool.thread);
}

void scan_pool_stop(void)
{
	unsigned int i;

	kthread_stop(scan_pool.thread);
	for (i = 0; i < SCANPOOL_WORKERS; i++)
		kfree(scan_pool.workers[i]);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "ringwait.h"

static struct task_struct *producer;

static int produce(void *data)
{
	struct ringwait_ring *ring = data;
	u64 word = 1;

	while (!kthread_should_stop()) {
		if (ringwait_give(ring, word))
			word = word * 6364136223846793005ULL + 1;
		msleep(200);
	}
	return 0;
}

int ringwait_producer_start(void)
{
	producer = kthread_create(produce, &ringwait_ring, "ringwait");
	if (IS_ERR(producer))
		return PTR_ERR(producer);
	kthread_bind(producer, 1);
	wake_up_process(producer);
	return 0;
}

void ringwait_producer_stop(void)
{
	kthread_stop(producer);
}

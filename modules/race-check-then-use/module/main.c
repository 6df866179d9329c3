// SPDX-License-Identifier: GPL-2.0
/* Two threads, one a CPU: one reads, one replaces, as often as `rounds` says. */
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "confswap.h"

static unsigned int rounds = 1000000;
module_param(rounds, uint, 0444);

static struct confswap swap;
static struct task_struct *reader, *writer;
static unsigned int weight;

static int read_often(void *data)
{
	unsigned int i;

	for (i = 0; i < rounds && !kthread_should_stop(); i++) {
		weight += confswap_read(&swap);
		if (!(i % 256))
			cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static int replace_often(void *data)
{
	unsigned int i;

	for (i = 0; i < rounds && !kthread_should_stop(); i++) {
		confswap_replace(&swap);
		if (!(i % 256))
			cond_resched();
	}
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static struct task_struct *start(int (*function)(void *data), const char *name, unsigned int cpu)
{
	struct task_struct *thread = kthread_create(function, NULL, "%s", name);

	if (!IS_ERR(thread)) {
		kthread_bind(thread, cpu);
		wake_up_process(thread);
	}
	return thread;
}

static int __init confswap_init(void)
{
	confswap_replace(&swap);
	reader = start(read_often, "confswap-read", 0);
	if (IS_ERR(reader))
		return PTR_ERR(reader);
	writer = start(replace_often, "confswap-write", 1);
	if (IS_ERR(writer)) {
		kthread_stop(reader);
		return PTR_ERR(writer);
	}
	return 0;
}

static void __exit confswap_exit(void)
{
	kthread_stop(writer);
	kthread_stop(reader);
}

module_init(confswap_init);
module_exit(confswap_exit);
MODULE_DESCRIPTION("Lets a reader use a configuration that may change");
MODULE_LICENSE("GPL");

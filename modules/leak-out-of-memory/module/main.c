// SPDX-License-Identifier: GPL-2.0
/* `take` takes a snapshot of what is written, as often as `repeat` says. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "snapbuf.h"

static struct snapbuf_snapshot snapshot;

static unsigned int repeat = 1;
module_param(repeat, uint, 0644);

static int set_take(const char *value, const struct kernel_param *parameter)
{
	unsigned int i;
	int result = 0;

	for (i = 0; i < repeat && !result; i++) {
		result = snapbuf_take(&snapshot, value);
		cond_resched();
	}
	return result;
}

static const struct kernel_param_ops take_ops = { .set = set_take };
module_param_cb(take, &take_ops, NULL, 0200);

static int __init snapbuf_init(void)
{
	return 0;
}

static void __exit snapbuf_exit(void)
{
	snapbuf_drop(&snapshot);
}

module_init(snapbuf_init);
module_exit(snapbuf_exit);
MODULE_DESCRIPTION("Keeps a snapshot of a text");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* Events through module parameters: `put` takes NUMBER:TEXT, `withdraw` a number. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "eventq.h"

static struct eventq queue;

static int set_put(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	char text[40] = "";

	if (sscanf(value, "%u:%39[^\n]", &number, text) != 2)
		return -EINVAL;
	return eventq_put(&queue, number, text);
}

static int set_withdraw(const char *value, const struct kernel_param *parameter)
{
	unsigned int number;
	int result = kstrtouint(value, 10, &number);

	return result ? result : eventq_withdraw(&queue, number);
}

static const struct kernel_param_ops put_ops = { .set = set_put };
static const struct kernel_param_ops withdraw_ops = { .set = set_withdraw };

module_param_cb(put, &put_ops, NULL, 0200);
module_param_cb(withdraw, &withdraw_ops, NULL, 0200);
module_param_named(queued, queue.queued, uint, 0444);

static int __init eventq_init(void)
{
	eventq_setup(&queue);
	return 0;
}

static void __exit eventq_exit(void)
{
	eventq_clear(&queue);
}

module_init(eventq_init);
module_exit(eventq_exit);
MODULE_DESCRIPTION("Queues events");
MODULE_LICENSE("GPL");

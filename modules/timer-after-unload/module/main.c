// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "heartbeat.h"

static struct heartbeat *heart;

static unsigned int period_ms = 100;
module_param(period_ms, uint, 0444);

static int set_state(const char *value, const struct kernel_param *parameter)
{
	if (!heart)
		return -EAGAIN;
	if (sysfs_streq(value, "run"))
		heartbeat_set(heart, HEARTBEAT_RUNNING);
	else if (sysfs_streq(value, "pause"))
		heartbeat_set(heart, HEARTBEAT_PAUSED);
	else if (sysfs_streq(value, "stop"))
		heartbeat_set(heart, HEARTBEAT_STOPPED);
	else
		return -EINVAL;
	return 0;
}

static const struct kernel_param_ops state_ops = { .set = set_state };
module_param_cb(state, &state_ops, NULL, 0200);

static int __init heartbeat_init(void)
{
	heart = heartbeat_create(period_ms);
	return heart ? 0 : -ENOMEM;
}

static void __exit heartbeat_exit(void)
{
	heartbeat_destroy(heart);
}

module_init(heartbeat_init);
module_exit(heartbeat_exit);
MODULE_DESCRIPTION("Counts beats of a timer");
MODULE_LICENSE("GPL");

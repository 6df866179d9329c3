// SPDX-License-Identifier: GPL-2.0
/* Through module parameters: `on` and `off` take a lamp, `blink` a lamp and how often. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "ledctl.h"

static struct ledctl control = {
	.settle_ms = 20,
};

static int set_one(const char *value, bool on)
{
	unsigned int led;
	int result = kstrtouint(value, 10, &led);

	return result ? result : ledctl_switch(&control, led, on);
}

static int set_on(const char *value, const struct kernel_param *parameter)
{
	return set_one(value, true);
}

static int set_off(const char *value, const struct kernel_param *parameter)
{
	return set_one(value, false);
}

static int set_blink(const char *value, const struct kernel_param *parameter)
{
	unsigned int led, times;

	if (sscanf(value, "%u %u", &led, &times) != 2)
		return -EINVAL;
	return ledctl_blink(&control, led, times);
}

static const struct kernel_param_ops on_ops = { .set = set_on };
static const struct kernel_param_ops off_ops = { .set = set_off };
static const struct kernel_param_ops blink_ops = { .set = set_blink };

module_param_cb(on, &on_ops, NULL, 0200);
module_param_cb(off, &off_ops, NULL, 0200);
module_param_cb(blink, &blink_ops, NULL, 0200);

static int __init ledctl_init(void)
{
	spin_lock_init(&control.lock);
	return 0;
}

static void __exit ledctl_exit(void)
{
}

module_init(ledctl_init);
module_exit(ledctl_exit);
MODULE_DESCRIPTION("Lets lamps blink");
MODULE_LICENSE("GPL");

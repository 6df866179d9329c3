// SPDX-License-Identifier: GPL-2.0
/* Through module parameters: `count` adds to the count, `window_ms` sets the window; `rate` is read. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "ratemon.h"

static struct ratemon_meter meter = {
	.window = { .seconds = 1, .slots = 1 },
};

static int number_of(const char *value, unsigned int *number)
{
	return kstrtouint(value, 10, number);
}

static int set_count(const char *value, const struct kernel_param *parameter)
{
	unsigned int more;
	int result = number_of(value, &more);

	if (!result)
		meter.count += more;
	return result;
}

static int set_window(const char *value, const struct kernel_param *parameter)
{
	unsigned int milliseconds;
	int result = number_of(value, &milliseconds);

	if (!result)
		ratemon_configure(&meter, milliseconds);
	return result;
}

static int get_rate(char *text, const struct kernel_param *parameter)
{
	return sprintf(text, "%u\n", ratemon_rate(&meter));
}

static const struct kernel_param_ops count_ops = { .set = set_count };
static const struct kernel_param_ops window_ops = { .set = set_window };
static const struct kernel_param_ops rate_ops = { .get = get_rate };

module_param_cb(count, &count_ops, NULL, 0200);
module_param_cb(window_ms, &window_ops, NULL, 0200);
module_param_cb(rate, &rate_ops, NULL, 0444);

static int __init ratemon_init(void)
{
	return 0;
}

static void __exit ratemon_exit(void)
{
}

module_init(ratemon_init);
module_exit(ratemon_exit);
MODULE_DESCRIPTION("Turns counts into rates");
MODULE_LICENSE("GPL");

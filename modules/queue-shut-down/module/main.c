// SPDX-License-Identifier: GPL-2.0
/* Readings come in by a module parameter. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "thermlog.h"

static struct thermlog_sensor sensor;

static int set_reading(const char *value, const struct kernel_param *parameter)
{
	int reading;
	int error = kstrtoint(value, 10, &reading);

	return error ? error : thermlog_report(&sensor, reading);
}

static int set_shutdown(const char *value, const struct kernel_param *parameter)
{
	thermlog_shutdown(&sensor);
	return 0;
}

static const struct kernel_param_ops reading_ops = { .set = set_reading };
static const struct kernel_param_ops shutdown_ops = { .set = set_shutdown };

module_param_cb(reading, &reading_ops, NULL, 0200);
module_param_cb(shutdown, &shutdown_ops, NULL, 0200);

static int __init thermlog_init(void)
{
	return thermlog_start(&sensor);
}

static void __exit thermlog_exit(void)
{
	thermlog_shutdown(&sensor);
}

module_init(thermlog_init);
module_exit(thermlog_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A log of temperatures");

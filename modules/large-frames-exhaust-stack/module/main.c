// SPDX-License-Identifier: GPL-2.0
/* Four numbers, written to the parameter `render`: sections, tables, rows, cells. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "repgen.h"

static unsigned int last;

static int set_render(const char *value, const struct kernel_param *parameter)
{
	struct repgen_shape shape;

	if (sscanf(value, "%u %u %u %u", &shape.sections, &shape.tables, &shape.rows,
		   &shape.cells) != 4)
		return -EINVAL;
	last = repgen_report(&shape);
	return 0;
}

static const struct kernel_param_ops render_ops = { .set = set_render };

module_param_cb(render, &render_ops, NULL, 0200);
module_param(last, uint, 0444);

static int __init repgen_init(void)
{
	return 0;
}

static void __exit repgen_exit(void)
{
}

module_init(repgen_init);
module_exit(repgen_exit);
MODULE_DESCRIPTION("Renders reports");
MODULE_LICENSE("GPL");

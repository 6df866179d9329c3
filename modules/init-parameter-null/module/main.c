// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "zonecfg.h"

static char *zones;
module_param(zones, charp, 0444);

static struct zonecfg config;

static int __init zonecfg_init(void)
{
	int result = zonecfg_parse(&config, zones);

	if (!result)
		pr_info("zonecfg: %u zones\n", config.count);
	return result;
}

static void __exit zonecfg_exit(void)
{
}

module_init(zonecfg_init);
module_exit(zonecfg_exit);
MODULE_DESCRIPTION("Zones from a parameter");
MODULE_LICENSE("GPL");

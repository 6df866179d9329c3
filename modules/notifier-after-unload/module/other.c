// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

static int __init spare_init(void)
{
	return 0;
}

static void __exit spare_exit(void)
{
}
module_init(spare_init);
module_exit(spare_exit);
MODULE_DESCRIPTION("A module that comes and goes");
MODULE_LICENSE("GPL");

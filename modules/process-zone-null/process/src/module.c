// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>

#include "process.h"

akfs_operation_t *__akfs_ops;

struct process_state __process = {
	.class = { .name = "process" },
};

static int __init process_module_init(void)
{
	int result;

	__akfs_ops = akfs_get_operations();
	result = __akfs_ops->init(&__process.c_args, PROCESS_RECORDS);
	if (result)
		return result;
	result = __akfs_ops->reg(&__process.class);
	if (result)
		return result;
	result = process_hook_install();
	if (result) {
		__akfs_ops->unreg(&__process.class);
		return result;
	}
	pr_info("process: watching execve\n");
	return 0;
}

/*
 * There is no exit function: a task can sleep inside a redirected call for as
 * long as it likes, so the code has to stay.
 */
module_init(process_module_init);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Records the programs that are started, and how far they are trusted");

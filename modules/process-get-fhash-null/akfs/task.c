// SPDX-License-Identifier: GPL-2.0
#include <linux/binfmts.h>
#include <linux/kernel.h>

#include "akfs_internal.h"

/*
 * The strings themselves are on the stack of the program that is about to
 * start, in pages that would have to be pinned: the record holds the file as
 * the caller named it and how many arguments came with it.
 */
int akfs_exec_arguments(struct linux_binprm *bprm, char *buffer, size_t size)
{
	int length;

	length = snprintf(buffer, size, "%s (%d)", bprm->filename, bprm->argc);
	return length < size ? 0 : -E2BIG;
}

int akfs_task_command(struct task_struct *task, char *buffer, size_t size)
{
	int length;

	task_lock(task);
	length = snprintf(buffer, size, "%s", task->comm);
	task_unlock(task);
	return length < size ? 0 : -E2BIG;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/binfmts.h>
#include <linux/kernel.h>

#include "akfs_internal.h"

/*
 * The file as the caller named it, what will run it, and how many arguments
 * came with it: the strings themselves are in pages of another program.
 */
int akfs_exec_arguments(struct linux_binprm *bprm, char *buffer, size_t size)
{
	int length;

	length = snprintf(buffer, size, "%s by %s (%d)", bprm->filename, bprm->interp, bprm->argc);
	return length < size ? 0 : -E2BIG;
}

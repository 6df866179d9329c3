// SPDX-License-Identifier: GPL-2.0
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "akfs_internal.h"

/* The kernel writes a path to the end of a buffer; ours start at the front. */
int akfs_file_path(struct file *file, char *buffer, size_t size)
{
	char *path = d_path(&file->f_path, buffer, size);

	if (IS_ERR(path)) {
		buffer[0] = '\0';
		return PTR_ERR(path);
	}
	memmove(buffer, path, buffer + size - path);
	return 0;
}

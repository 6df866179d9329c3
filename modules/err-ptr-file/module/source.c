// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/kernel.h>

#include "confload.h"

/* The largest file of settings that is read. */
#define CONFLOAD_LIMIT (64 * 1024)

static int confload_flags(const struct confload_source *source)
{
	return source->flags & CONFLOAD_WRITABLE ? O_RDWR : O_RDONLY;
}

static int confload_check(struct confload_source *source)
{
	struct file *file = source->file;

	if (!(file->f_mode & FMODE_READ)) /* BUG: the file may be an error and no pointer */
		return -EACCES;
	source->size = i_size_read(file->f_mapping->host);
	return source->size > CONFLOAD_LIMIT ? -EFBIG : 0;
}

int confload_open(struct confload_source *source)
{
	int result;

	source->file = filp_open(source->path, confload_flags(source), 0);
	if (!source->file)
		return source->flags & CONFLOAD_OPTIONAL ? 0 : -ENOENT;
	result = confload_check(source);
	if (result)
		confload_close(source);
	return result;
}

void confload_close(struct confload_source *source)
{
	if (source->file)
		filp_close(source->file, NULL);
	source->file = NULL;
}

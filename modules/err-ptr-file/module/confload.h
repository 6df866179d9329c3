/* SPDX-License-Identifier: GPL-2.0 */
/* confload reads settings of other modules from files. */
#ifndef CONFLOAD_H
#define CONFLOAD_H

#include <linux/fs.h>
#include <linux/types.h>

struct confload_source {
	const char *path;
	struct file *file;
	unsigned int flags;
	loff_t size;
};

#define CONFLOAD_OPTIONAL 0x1
#define CONFLOAD_WRITABLE 0x2

int confload_open(struct confload_source *source);
void confload_close(struct confload_source *source);

#endif

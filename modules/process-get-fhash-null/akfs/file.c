// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>

#include "akfs_internal.h"

int akfs_file_meta(struct file *file, akfs_meta_t *meta)
{
	struct inode *inode = file_inode(file);

	meta->inode = inode->i_ino;
	meta->bytes = i_size_read(inode);
	meta->device = new_encode_dev(inode->i_sb->s_dev);
	meta->mode = inode->i_mode;
	return 0;
}

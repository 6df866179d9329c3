// SPDX-License-Identifier: GPL-2.0
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/mm_types.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/version.h>

#include "akfs_internal.h"

/* The kernel writes a path to the end of a buffer; ours start at the front. */
static int move_to_front(char *path, char *buffer, size_t size)
{
	if (IS_ERR(path)) {
		buffer[0] = '\0';
		return PTR_ERR(path);
	}
	memmove(buffer, path, buffer + size - path);
	return 0;
}

int akfs_path_path(const struct path *path, char *buffer, size_t size)
{
	return move_to_front(d_path(path, buffer, size), buffer, size);
}

int akfs_file_path(struct file *file, char *buffer, size_t size)
{
	return akfs_path_path(&file->f_path, buffer, size);
}

int akfs_dentry_path(struct dentry *dentry, char *buffer, size_t size)
{
	return move_to_front(dentry_path_raw(dentry, buffer, size), buffer, size);
}

int akfs_inode_path(struct inode *inode, char *buffer, size_t size)
{
	struct dentry *alias = d_find_alias(inode);
	int result;

	buffer[0] = '\0';
	if (!alias)
		return -ENOENT;
	result = akfs_dentry_path(alias, buffer, size);
	dput(alias);
	return result;
}

/* The caller holds a lock under which task->mm stays what it is. */
static struct file *executable_of(struct mm_struct *mm)
{
	struct file *file;

	rcu_read_lock();
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	file = get_file_rcu(&mm->exe_file);
#else
	file = rcu_dereference(mm->exe_file);
	if (file && !get_file_rcu(file))
		file = NULL;
#endif
	rcu_read_unlock();
	return file;
}

int akfs_task_path(struct task_struct *task, char *buffer, size_t size)
{
	struct file *file = NULL;
	int result;

	buffer[0] = '\0';
	task_lock(task);
	if (task->mm && !(task->flags & PF_KTHREAD))
		file = executable_of(task->mm);
	task_unlock(task);
	if (!file)
		return -ENOENT;
	result = akfs_file_path(file, buffer, size);
	fput(file);
	return result;
}

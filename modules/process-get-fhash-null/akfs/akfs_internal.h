/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AKFS_INTERNAL_H
#define AKFS_INTERNAL_H

#include "akfs.h"

extern akfs_operation_t akfs_operations;

/* channel.c */
int akfs_channel_init(akfs_args_t *args, unsigned int limit);
int akfs_channel_put(akfs_args_t *args, const void *record, size_t size);

/* class.c */
int akfs_class_register(akfs_class_t *watcher);
void akfs_class_unregister(akfs_class_t *watcher);

/* path.c */
int akfs_file_path(struct file *file, char *buffer, size_t size);
int akfs_dentry_path(struct dentry *dentry, char *buffer, size_t size);
int akfs_inode_path(struct inode *inode, char *buffer, size_t size);
int akfs_path_path(const struct path *path, char *buffer, size_t size);
int akfs_task_path(struct task_struct *task, char *buffer, size_t size);

/* task.c */
int akfs_exec_arguments(struct linux_binprm *bprm, char *buffer, size_t size);
int akfs_task_command(struct task_struct *task, char *buffer, size_t size);

/* hash.c */
int akfs_task_hash(struct task_struct *task, char *buffer, size_t size);

/* file.c */
int akfs_file_meta(struct file *file, akfs_meta_t *meta);

#endif

/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#pragma once

struct task_struct;
struct file;
struct linux_binprm {
	char buf[168];
	struct file *file;
};

typedef struct akfs_operation {
	int (*init)(void);
	int (*reg)(void *rule);
	int (*unreg)(void *rule);
	void *(*alloc)(unsigned long size);
	void (*free)(void *memory);
	int (*put)(void *args, void *buffer, unsigned long size);
	int (*get_fpath)(struct file *file, char *buffer, unsigned long size);
	int (*get_dpath)(void *dentry, char *buffer, unsigned long size);
	int (*get_ipath)(void *inode, char *buffer, unsigned long size);
	int (*get_ppath)(void *path, char *buffer, unsigned long size);
	int (*get_tpath)(struct task_struct *task, char *buffer, unsigned long size);
	int (*get_args)(struct linux_binprm *bprm, char *buffer, unsigned long size);
	int (*get_cmdline)(struct task_struct *task, char *buffer, unsigned long size);
	int (*get_thash)(struct task_struct *task, char *buffer, unsigned long size);
	int (*get_fhash)(struct file *file, char *buffer, unsigned long size);
	unsigned long (*get_timestamp)(void);
	unsigned long (*get_unixts)(void);
	void *(*get_meta)(void);
	int (*get_stop_status)(void);
} akfs_operation_t;

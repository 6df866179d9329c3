/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interface between akfs, which collects what the kernel knows about files and
 * tasks, and the modules that watch one kind of event each.
 */
#ifndef AKFS_H
#define AKFS_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(4, 11, 0)
#include <linux/sched/task.h>
#endif

struct linux_binprm;

#define AKFS_RULE_ALLOW 0
#define AKFS_RULE_DENY 1

#define AKFS_PATH_SIZE 512
#define AKFS_ARGV_SIZE 1024
#define AKFS_CMDLINE_SIZE 256
#define AKFS_HASH_SIZE 64

/* Records of one class on their way to the collector in user space. */
typedef struct akfs_args_t {
	spinlock_t lock;
	struct list_head records;
	unsigned int count;
	unsigned int limit;
	u64 dropped;
} akfs_args_t;

/* A module that watches one kind of event. */
typedef struct akfs_class_t {
	const char *name;
	struct list_head node;
} akfs_class_t;

typedef struct akfs_meta_t {
	u64 inode;
	u64 bytes;
	u32 device;
	u32 mode;
} akfs_meta_t;

/*
 * What akfs offers. Functions that fill a buffer return 0 or a negative errno
 * and leave a terminated string in it either way.
 */
typedef struct akfs_operation_t {
	int (*init)(akfs_args_t *args, unsigned int limit);
	int (*reg)(akfs_class_t *watcher);
	void (*unreg)(akfs_class_t *watcher);
	void *(*alloc)(size_t size);
	void (*free)(void *memory);
	int (*put)(akfs_args_t *args, const void *record, size_t size);
	int (*get_fpath)(struct file *file, char *buffer, size_t size);
	int (*get_dpath)(struct dentry *dentry, char *buffer, size_t size);
	int (*get_ipath)(struct inode *inode, char *buffer, size_t size);
	int (*get_ppath)(const struct path *path, char *buffer, size_t size);
	int (*get_tpath)(struct task_struct *task, char *buffer, size_t size);
	int (*get_args)(struct linux_binprm *bprm, char *buffer, size_t size);
	int (*get_cmdline)(struct task_struct *task, char *buffer, size_t size);
	int (*get_thash)(struct task_struct *task, char *buffer, size_t size);
	int (*get_fhash)(struct file *file, char *buffer, size_t size);
	u64 (*get_timestamp)(void);
	u64 (*get_unixts)(void);
	int (*get_meta)(struct file *file, akfs_meta_t *meta);
	bool (*get_stop_status)(void);
} akfs_operation_t;

/* Digests of file contents come from a module of their own, one per algorithm. */
struct akfs_hash_backend {
	const char *algorithm;
	int (*file)(struct file *file, char *buffer, size_t size);
};

akfs_operation_t *akfs_get_operations(void);
int akfs_register_hash_backend(const struct akfs_hash_backend *backend);

#endif

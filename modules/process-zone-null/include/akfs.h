/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interface between akfs, which collects what the kernel knows about files and
 * tasks, and the modules that watch one kind of event each.
 */
#ifndef AKFS_H
#define AKFS_H

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct linux_binprm;

#define AKFS_RULE_ALLOW 0
#define AKFS_RULE_DENY 1

#define AKFS_PATH_SIZE 512
#define AKFS_ARGV_SIZE 1024

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

enum akfs_trust {
	AKFS_TRUST_USER = 1,
	AKFS_TRUST_VENDOR,
	AKFS_TRUST_SYSTEM,
};

/* A part of the tree of files, and how far its files are trusted. */
typedef struct akfs_zone_t {
	struct list_head node;
	const char *path;
	enum akfs_trust trust;
	u64 executed;
} akfs_zone_t;

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
	int (*get_args)(struct linux_binprm *bprm, char *buffer, size_t size);
	akfs_zone_t *(*get_zone)(struct file *file);
	u64 (*get_timestamp)(void);
} akfs_operation_t;

akfs_operation_t *akfs_get_operations(void);

#endif

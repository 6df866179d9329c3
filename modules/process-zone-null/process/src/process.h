/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PROCESS_H
#define PROCESS_H

#include "akfs.h"

#define PROCESS_RECORDS 64

enum process_type {
	PROCESS_TYPE_EXEC = 1,
};

/* What a record says of its file. */
#define PROCESS_NO_PATH 0x1
#define PROCESS_UNTRUSTED 0x2

/* One event, as the collector reads it. */
typedef struct akfs_process_t {
	u32 type;
	u32 flags;
	u32 pid;
	u32 tgid;
	u32 ppid;
	u64 timestamp;
	akfs_zone_t *zone;
	char argv[AKFS_ARGV_SIZE];
	char exec_file[AKFS_PATH_SIZE];
} akfs_process_t;

struct process_state {
	akfs_class_t class;
	akfs_args_t c_args;
};

extern akfs_operation_t *__akfs_ops;
extern struct process_state __process;

/* record.c */
int process_bprm_put(struct task_struct *task, struct linux_binprm *bprm);

/* weigh.c */
void process_weigh(akfs_process_t *record);

/* hook.c */
int process_hook_install(void);

#endif

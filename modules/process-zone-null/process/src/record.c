// SPDX-License-Identifier: GPL-2.0
#include <linux/binfmts.h>
#include <linux/errno.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "process.h"

static void __pad_process(struct task_struct *task, enum process_type type,
			  akfs_process_t *record)
{
	record->type = type;
	record->pid = task->pid;
	record->tgid = task->tgid;
	rcu_read_lock();
	record->ppid = rcu_dereference(task->real_parent)->tgid;
	rcu_read_unlock();
	record->timestamp = __akfs_ops->get_timestamp();
}

static void __pad_exec(struct linux_binprm *bprm, akfs_process_t *record)
{
	record->zone = __akfs_ops->get_zone(bprm->file);
	if (__akfs_ops->get_fpath(bprm->file, record->exec_file, sizeof(record->exec_file)))
		record->flags |= PROCESS_NO_PATH;
	__akfs_ops->get_args(bprm, record->argv, sizeof(record->argv));
}

int process_bprm_put(struct task_struct *task, struct linux_binprm *bprm)
{
	akfs_process_t *record = __akfs_ops->alloc(sizeof(*record));

	if (!record)
		return AKFS_RULE_ALLOW;
	__pad_process(task, PROCESS_TYPE_EXEC, record);
	__pad_exec(bprm, record);
	process_weigh(record);
	__akfs_ops->put(&__process.c_args, record, sizeof(*record));
	__akfs_ops->free(record);
	return AKFS_RULE_ALLOW;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/binfmts.h>
#include <linux/bug.h>
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "process.h"

static void __pad_process(struct task_struct *task, enum process_type type,
			  akfs_process_t *record)
{
	record->type = type;
	record->pid = task->pid;
	record->tgid = task->tgid;
	rcu_read_lock();
	record->ppid = rcu_dereference(task->real_parent)->tgid;
	record->uid = from_kuid(&init_user_ns, __task_cred(task)->uid);
	rcu_read_unlock();
	record->timestamp = __akfs_ops->get_timestamp();
	record->unix_seconds = __akfs_ops->get_unixts();
	__akfs_ops->get_cmdline(task, record->cmdline, sizeof(record->cmdline));
	__akfs_ops->get_thash(task, record->task_hash, sizeof(record->task_hash));
}

static inline int __pad_exec(struct task_struct *task, struct linux_binprm *bprm,
			     akfs_process_t *record)
{
	if (__akfs_ops->get_args(bprm, record->argv, sizeof(record->argv)))
		return -EACCES;

	__pad_process(task, PROCESS_TYPE_EXEC, record);

	if (__akfs_ops->get_fpath(bprm->file, record->exec_file, sizeof(record->exec_file)))
		record->flags |= PROCESS_NO_FILE;

	if (__akfs_ops->get_fhash(bprm->file, record->exec_hash, sizeof(record->exec_hash))) /* BUG: NULL until a hash backend registers */
		record->flags |= PROCESS_NO_HASH;

	return 0;
}

/* The record goes to the collector as one whole page. */
int process_bprm_put(struct task_struct *task, struct linux_binprm *bprm)
{
	unsigned char buffer[PAGE_SIZE] __aligned(8) = {0};

	BUILD_BUG_ON(sizeof(akfs_process_t) > sizeof(buffer));

	if (__akfs_ops->get_stop_status())
		return AKFS_RULE_ALLOW;

	if (__pad_exec(task, bprm, (akfs_process_t *)buffer))
		return AKFS_RULE_ALLOW;

	__akfs_ops->put(&__process.c_args, buffer, sizeof(buffer));

	return AKFS_RULE_ALLOW;
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/sched.h>
#include <linux/ktime.h>
#include "openwatch.h"

static int began(struct kretprobe_instance *instance, struct pt_regs *registers)
{
	struct open_call *call = (struct open_call *)instance->data;

	call->watch = watch_find(current->comm);
	call->began = ktime_to_ns(ktime_get());
	return call->watch ? 0 : 1;
}

static void count_failure(const struct open_call *call, long result)
{
	struct watch_owner *owner = call->watch->owner;

	if (IS_ERR_VALUE(result))
		atomic_inc(&owner->failures); /* BUG: a watch need not have an owner */
}

static int returned(struct kretprobe_instance *instance, struct pt_regs *registers)
{
	count_failure((struct open_call *)instance->data, regs_return_value(registers));
	return 0;
}

static struct kretprobe probe = {
	.kp.symbol_name = "do_filp_open",
	.entry_handler = began,
	.handler = returned,
	.data_size = sizeof(struct open_call),
	.maxactive = 8,
};

int openwatch_attach(void) { return register_kretprobe(&probe); }
void openwatch_detach(void) { unregister_kretprobe(&probe); }

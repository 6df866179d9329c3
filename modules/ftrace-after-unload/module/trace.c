// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/version.h>

#include "execmon.h"

struct execmon_counts execmon_counts;

static struct ftrace_ops *hook;
static bool paused;

static void notrace count(void)
{
	execmon_counts.checks++;
	if (uid_eq(current_uid(), GLOBAL_ROOT_UID))
		execmon_counts.by_root++;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
static void notrace on_check(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct ftrace_regs *regs)
#else
static void notrace on_check(unsigned long ip, unsigned long parent_ip, struct ftrace_ops *ops,
			     struct pt_regs *regs)
#endif
{
	if (!paused)
		count();
}

int execmon_install(void)
{
	unsigned char name[] = "security_bprm_check";
	int result;

	hook = kzalloc(sizeof(*hook), GFP_KERNEL);
	if (!hook)
		return -ENOMEM;
	hook->func = on_check;
	result = ftrace_set_filter(hook, name, strlen((char *)name), 0);
	if (!result)
		result = register_ftrace_function(hook);
	if (result)
		kfree(hook);
	return result;
}

int execmon_pause(bool pause)
{
	paused = pause;
	return 0;
}

void execmon_remove(void)
{
	if (paused)
		return; /* BUG: a paused hook is still installed */
	unregister_ftrace_function(hook);
	kfree(hook);
}

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/sched.h>

struct session {
	char terminal[16];
	unsigned int calls;
};

/* Sessions of logins; a task that nobody logged in for has none. */
static struct session *session_of(const struct task_struct *task)
{
	static struct session session;

	return task->tgid == 1 ? NULL : &session;
}

static noinline void session_count(struct session *session)
{
	session->calls++; /* BUG: init has no session */
}

static int on_wait(struct kprobe *probe, struct pt_regs *registers)
{
	session_count(session_of(current));
	return 0;
}
static struct kprobe probe = { .symbol_name = "do_wait", .pre_handler = on_wait };
static int __init execlog_init(void) { return register_kprobe(&probe); }
static void __exit execlog_exit(void) { unregister_kprobe(&probe); }
module_init(execlog_init);
module_exit(execlog_exit);
MODULE_DESCRIPTION("Logs of sessions");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/*
 * Sends every call of security_bprm_check() to our own function. The security
 * hooks proper are closed to modules that are loaded at run time.
 */
#include <linux/binfmts.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/version.h>
#include <asm/ftrace.h>

#include "process.h"

#define HOOKED "security_bprm_check"

typedef int (*bprm_check_t)(struct linux_binprm *bprm);

/* Where the hooked function goes on after the call of ftrace at its start. */
static bprm_check_t bprm_check_body;

int __akfs_trace_security_bprm_check(struct linux_binprm *bprm);

int __akfs_trace_security_bprm_check(struct linux_binprm *bprm)
{
	if (process_bprm_put(current, bprm) != AKFS_RULE_ALLOW)
		return -EACCES;
	return bprm_check_body(bprm);
}

static void notrace redirect(unsigned long site, struct pt_regs *regs)
{
	bprm_check_body = (bprm_check_t)(site + MCOUNT_INSN_SIZE);
	regs->ip = (unsigned long)__akfs_trace_security_bprm_check;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 11, 0)
static void notrace on_bprm_check(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	redirect(ip, ftrace_get_regs(fregs));
}
/* Since 5.11 ftrace guards a callback against recursion only when asked. */
#define PROCESS_FTRACE_FLAGS FTRACE_OPS_FL_RECURSION
#else
static void notrace on_bprm_check(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct pt_regs *regs)
{
	redirect(ip, regs);
}
#define PROCESS_FTRACE_FLAGS 0
#endif

static struct ftrace_ops process_ftrace = {
	.func = on_bprm_check,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY | PROCESS_FTRACE_FLAGS,
};

int process_hook_install(void)
{
	unsigned char name[] = HOOKED;
	int result;

	result = ftrace_set_filter(&process_ftrace, name, strlen(HOOKED), 0);
	if (result)
		return result;
	return register_ftrace_function(&process_ftrace);
}

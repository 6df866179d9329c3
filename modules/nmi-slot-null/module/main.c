// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <asm/nmi.h>

#include "nmitrace.h"

static bool tracing;

static int nmitrace_handler(unsigned int type, struct pt_regs *regs)
{
	nmitrace_record(regs);
	/* Whoever it was meant for is still to be asked. */
	return NMI_DONE;
}

static int set_tracing(const char *value, const struct kernel_param *parameter)
{
	bool before = tracing;
	int result = param_set_bool(value, parameter);

	if (result || before == tracing)
		return result;
	if (tracing)
		return nmitrace_open();
	nmitrace_close();
	return 0;
}

static const struct kernel_param_ops tracing_ops = {
	.set = set_tracing,
	.get = param_get_bool,
};

module_param_cb(tracing, &tracing_ops, &tracing, 0644);

static int __init nmitrace_init(void)
{
	return register_nmi_handler(NMI_LOCAL, nmitrace_handler, 0, "nmitrace");
}

static void __exit nmitrace_exit(void)
{
	unregister_nmi_handler(NMI_LOCAL, "nmitrace");
	nmitrace_close();
}

module_init(nmitrace_init);
module_exit(nmitrace_exit);
MODULE_DESCRIPTION("Counts what non-maskable interrupts have interrupted");
MODULE_LICENSE("GPL");

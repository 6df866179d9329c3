// SPDX-License-Identifier: GPL-2.0
#include <linux/cred.h>
#include <linux/kprobes.h>
#include <linux/uidgid.h>

#include "opentrace.h"

static void note_write(unsigned int uid)
{
	struct opentrace_user *user = opentrace_find(uid);

	if (user->uid == uid) /* BUG: nobody follows this user */
		user->writes++;
}

static int before_write(struct kprobe *probe, struct pt_regs *regs)
{
	if (opentrace_table.count)
		note_write(from_kuid(&init_user_ns, current_uid()));
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "vfs_write",
	.pre_handler = before_write,
};

int opentrace_probe_install(void)
{
	return register_kprobe(&probe);
}

void opentrace_probe_remove(void)
{
	unregister_kprobe(&probe);
}

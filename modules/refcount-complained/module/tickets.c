// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/refcount.h>
#include <linux/slab.h>

struct ticket {
	struct list_head link;
	refcount_t users;
	u32 number;
};
static LIST_HEAD(tickets);

static struct ticket *ticket_find(u32 number)
{
	struct ticket *ticket;

	list_for_each_entry(ticket, &tickets, link)
		if (ticket->number == number)
			return ticket;
	return NULL;
}

/* The list keeps the last reference, and a ticket's memory is given back with the list. */
static noinline void ticket_put(struct ticket *ticket)
{
	if (refcount_dec_and_test(&ticket->users)) /* BUG: who closes a ticket has no reference to put */
		pr_info("ticket %u is not used any more\n", ticket->number);
}

static int set_open(const char *value, const struct kernel_param *parameter)
{
	struct ticket *ticket = kzalloc(sizeof(*ticket), GFP_KERNEL);
	u32 number;

	if (!ticket || kstrtou32(value, 0, &number)) {
		kfree(ticket);
		return -EINVAL;
	}
	ticket->number = number;
	refcount_set(&ticket->users, 1);
	list_add(&ticket->link, &tickets);
	return 0;
}

static int set_close(const char *value, const struct kernel_param *parameter)
{
	struct ticket *ticket;
	u32 number;

	if (kstrtou32(value, 0, &number))
		return -EINVAL;
	ticket = ticket_find(number);
	if (!ticket)
		return -ENOENT;
	ticket_put(ticket);
	return 0;
}
static const struct kernel_param_ops open_ops = { .set = set_open };
static const struct kernel_param_ops close_ops = { .set = set_close };
module_param_cb(open, &open_ops, NULL, 0200);
module_param_cb(close, &close_ops, NULL, 0200);
static int __init tickets_init(void) { return 0; }
static void __exit tickets_exit(void)
{
	struct ticket *ticket, *next;

	list_for_each_entry_safe(ticket, next, &tickets, link)
		kfree(ticket);
}
module_init(tickets_init);
module_exit(tickets_exit);
MODULE_DESCRIPTION("Tickets");
MODULE_LICENSE("GPL");

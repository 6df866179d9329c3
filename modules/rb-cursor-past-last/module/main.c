// SPDX-License-Identifier: GPL-2.0
/* Rules by port in a tree, and a cursor that walks over them: add PORT, step. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

struct rule {
	u32 hits;
	u32 flags;
	struct rb_node node;
	int port;
};

static struct rb_root rules = RB_ROOT;
static struct rule *cursor;

static int set_add(const char *value, const struct kernel_param *parameter)
{
	struct rb_node **place = &rules.rb_node, *above = NULL;
	struct rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);

	if (!rule)
		return -ENOMEM;
	if (kstrtoint(value, 0, &rule->port)) {
		kfree(rule);
		return -EINVAL;
	}
	while (*place) {
		above = *place;
		place = rule->port < rb_entry(above, struct rule, node)->port ? &above->rb_left : &above->rb_right;
	}
	rb_link_node(&rule->node, above, place);
	rb_insert_color(&rule->node, &rules);
	if (!cursor)
		cursor = rule;
	return 0;
}

static noinline void cursor_step(void)
{
	cursor = rb_entry(rb_next(&cursor->node), struct rule, node);
}

static noinline int cursor_port(void)
{
	return cursor->port; /* BUG: behind the last rule there is none */
}

static int set_step(const char *value, const struct kernel_param *parameter)
{
	if (!cursor)
		return -ENOENT;
	cursor_step();
	pr_info("port %d\n", cursor_port());
	return 0;
}

static const struct kernel_param_ops add_ops = { .set = set_add };
static const struct kernel_param_ops step_ops = { .set = set_step };

module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(step, &step_ops, NULL, 0200);

static int __init rulecur_init(void)
{
	return 0;
}

static void __exit rulecur_exit(void)
{
	struct rule *rule, *next;

	rbtree_postorder_for_each_entry_safe(rule, next, &rules, node)
		kfree(rule);
}

module_init(rulecur_init);
module_exit(rulecur_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Rules by port, and a cursor");

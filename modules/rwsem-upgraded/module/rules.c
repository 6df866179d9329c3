// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/rwsem.h>
#include <linux/slab.h>

struct rule {
	struct list_head link;
	u32 id;
	u32 hits;
};
struct rules {
	struct rw_semaphore lock;
	struct list_head list;
	unsigned int generation;
};
static struct rules rules = {
	.lock = __RWSEM_INITIALIZER(rules.lock),
	.list = LIST_HEAD_INIT(rules.list),
};

static int rules_add(struct rules *set, u32 id)
{
	struct rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);

	if (!rule)
		return -ENOMEM;
	rule->id = id;
	down_write(&set->lock); /* BUG: a hit of an unknown rule adds it with the set held for reading */
	list_add(&rule->link, &set->list);
	set->generation++;
	up_write(&set->lock);
	return 0;
}

static int rules_hit(struct rules *set, u32 id)
{
	struct rule *rule;
	int result = 0;

	down_read(&set->lock);
	list_for_each_entry(rule, &set->list, link) {
		if (rule->id == id) {
			rule->hits++;
			goto out;
		}
	}
	result = rules_add(set, id);
out:
	up_read(&set->lock);
	return result;
}

static int set_add(const char *value, const struct kernel_param *parameter)
{
	unsigned int id;
	int error = kstrtouint(value, 0, &id);

	return error ? error : rules_add(&rules, id);
}
static int set_hit(const char *value, const struct kernel_param *parameter)
{
	unsigned int id;
	int error = kstrtouint(value, 0, &id);

	return error ? error : rules_hit(&rules, id);
}
static const struct kernel_param_ops add_ops = { .set = set_add };
static const struct kernel_param_ops hit_ops = { .set = set_hit };
module_param_cb(add, &add_ops, NULL, 0200);
module_param_cb(hit, &hit_ops, NULL, 0200);
static int __init ruleset_init(void) { return 0; }
static void __exit ruleset_exit(void) { }
module_init(ruleset_init);
module_exit(ruleset_exit);
MODULE_DESCRIPTION("Rules");
MODULE_LICENSE("GPL");

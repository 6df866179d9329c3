// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/wait.h>

struct route {
	struct list_head link;
	u32 to;
};
struct routes {
	struct list_head list;
	struct rw_semaphore lock;
	wait_queue_head_t changed;
	unsigned int version;
};
static struct routes *table;

static int routes_watch(struct routes *routes, unsigned int seen)
{
	down_read(&routes->lock);
	/* Who changes the table has to take it for writing first. */
	wait_event(routes->changed, routes->version != seen); /* BUG: it waits with the table held */
	up_read(&routes->lock);
	return 0;
}

static bool routes_has(struct routes *routes, u32 to)
{
	struct route *route;
	bool found = false;

	down_read(&routes->lock);
	list_for_each_entry(route, &routes->list, link)
		found |= route->to == to;
	up_read(&routes->lock);
	return found;
}

static int routes_add(struct routes *routes, u32 to)
{
	struct route *route;

	if (routes_has(routes, to))
		return -EEXIST;
	route = kzalloc(sizeof(*route), GFP_KERNEL);
	if (!route)
		return -ENOMEM;
	route->to = to;
	down_write(&routes->lock);
	list_add(&route->link, &routes->list);
	routes->version++;
	up_write(&routes->lock);
	wake_up(&routes->changed);
	return 0;
}

static ssize_t watch_show(struct kobject *kobj, struct kobj_attribute *attribute, char *page)
{
	int error = routes_watch(table, table->version);

	return error ? error : sprintf(page, "%u\n", table->version);
}
static ssize_t add_store(struct kobject *kobj, struct kobj_attribute *attribute, const char *value,
			 size_t length)
{
	unsigned int to;
	int error = kstrtouint(value, 0, &to);

	error = error ? error : routes_add(table, to);
	return error ? error : length;
}
static struct kobj_attribute watch_file = __ATTR(watch, 0400, watch_show, NULL);
static struct kobj_attribute add_file = __ATTR(add, 0200, NULL, add_store);
static struct kobject *folder;
static int __init routes_init(void)
{
	table = kzalloc(sizeof(*table), GFP_KERNEL);
	if (!table)
		return -ENOMEM;
	INIT_LIST_HEAD(&table->list);
	init_rwsem(&table->lock);
	init_waitqueue_head(&table->changed);
	folder = kobject_create_and_add("routes", kernel_kobj);
	if (!folder || sysfs_create_file(folder, &watch_file.attr) ||
	    sysfs_create_file(folder, &add_file.attr))
		return -ENOMEM;
	return 0;
}
static void __exit routes_exit(void)
{
	kobject_put(folder);
	kfree(table);
}
module_init(routes_init);
module_exit(routes_exit);
MODULE_DESCRIPTION("Routes");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct owner {
	u32 uid;
	u32 uses;
};
struct lease {
	struct list_head link;
	u32 number;
	struct owner *owner;
};
static LIST_HEAD(leases);
static DEFINE_MUTEX(leases_lock);

static int lease_charge(u32 number, u32 uses)
{
	struct lease *lease;

	mutex_lock(&leases_lock);
	list_for_each_entry(lease, &leases, link) {
		if (lease->number == number)
			lease->owner->uses += uses; /* BUG: a lease without an owner */
	}
	mutex_unlock(&leases_lock);
	return 0;
}

static int lease_add(u32 number)
{
	struct lease *lease = kzalloc(sizeof(*lease), GFP_KERNEL);

	if (!lease)
		return -ENOMEM;
	lease->number = number;
	mutex_lock(&leases_lock);
	list_add(&lease->link, &leases);
	mutex_unlock(&leases_lock);
	return 0;
}

static ssize_t number_store(struct kobject *kobj, struct kobj_attribute *attribute,
			    const char *value, size_t length)
{
	unsigned int number;
	int error = kstrtouint(value, 0, &number);

	if (!error && attribute->attr.name[0] == 'c')
		error = lease_charge(number, 1);
	else if (!error)
		error = lease_add(number);
	return error ? error : length;
}
static struct kobj_attribute add_file = __ATTR(add, 0200, NULL, number_store);
static struct kobj_attribute charge_file = __ATTR(charge, 0200, NULL, number_store);
static struct kobject *folder;
static int __init leasetab_init(void)
{
	folder = kobject_create_and_add("leasetab", kernel_kobj);
	if (!folder || sysfs_create_file(folder, &add_file.attr) ||
	    sysfs_create_file(folder, &charge_file.attr))
		return -ENOMEM;
	return 0;
}
static void __exit leasetab_exit(void) { kobject_put(folder); }
module_init(leasetab_init);
module_exit(leasetab_exit);
MODULE_DESCRIPTION("Leases");
MODULE_LICENSE("GPL");

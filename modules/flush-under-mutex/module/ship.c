// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

struct shipper {
	struct mutex lock;
	struct work_struct work;
	unsigned int queued;
	unsigned int sent;
	bool is_open;
};
static struct shipper *shipper;

static void ship(struct work_struct *work)
{
	struct shipper *shipper = container_of(work, struct shipper, work);

	mutex_lock(&shipper->lock);
	shipper->sent += shipper->queued;
	shipper->queued = 0;
	mutex_unlock(&shipper->lock);
}

static void shipper_close(struct shipper *shipper)
{
	mutex_lock(&shipper->lock);
	if (shipper->queued)
		schedule_work(&shipper->work);
	shipper->is_open = false;
	flush_work(&shipper->work); /* BUG: the work waits for the lock that is held here */
	mutex_unlock(&shipper->lock);
}

static int set_log(const char *value, const struct kernel_param *parameter)
{
	mutex_lock(&shipper->lock);
	shipper->queued++;
	mutex_unlock(&shipper->lock);
	return 0;
}
static int set_close(const char *value, const struct kernel_param *parameter)
{
	shipper_close(shipper);
	return 0;
}
static const struct kernel_param_ops log_ops = { .set = set_log };
static const struct kernel_param_ops close_ops = { .set = set_close };
module_param_cb(log, &log_ops, NULL, 0200);
module_param_cb(close, &close_ops, NULL, 0200);
static int __init logship_init(void)
{
	shipper = kzalloc(sizeof(*shipper), GFP_KERNEL);
	if (!shipper)
		return -ENOMEM;
	mutex_init(&shipper->lock);
	INIT_WORK(&shipper->work, ship);
	shipper->is_open = true;
	return 0;
}
static void __exit logship_exit(void)
{
	cancel_work_sync(&shipper->work);
	kfree(shipper);
}
module_init(logship_init);
module_exit(logship_exit);
MODULE_DESCRIPTION("Ships logs");
MODULE_LICENSE("GPL");

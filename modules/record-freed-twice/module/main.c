// SPDX-License-Identifier: GPL-2.0
/* A record, written to /dev/pktlog: VERB KIND LENGTH:BODY */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "pktlog.h"

static DEFINE_MUTEX(pktlog_lock);
static struct pktlog_record *records[PKTLOG_RECORDS];
static unsigned int next_slot;

static void keep(struct pktlog_record *record)
{
	struct pktlog_record **slot = &records[next_slot++ % PKTLOG_RECORDS];

	if (*slot)
		pktlog_record_free(*slot);
	*slot = record;
}

static ssize_t pktlog_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	struct pktlog_record *record;
	char *text;

	if (size > 512)
		return -E2BIG;
	text = memdup_user_nul(data, size);
	if (IS_ERR(text))
		return PTR_ERR(text);
	mutex_lock(&pktlog_lock);
	record = pktlog_record_parse(text, size);
	if (!IS_ERR(record))
		keep(record);
	mutex_unlock(&pktlog_lock);
	kfree(text);
	return IS_ERR(record) ? PTR_ERR(record) : size;
}

static const struct file_operations pktlog_fops = {
	.owner = THIS_MODULE,
	.write = pktlog_write,
};

static struct miscdevice pktlog_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "pktlog",
	.fops = &pktlog_fops,
};

static int __init pktlog_init(void)
{
	return misc_register(&pktlog_device);
}

static void __exit pktlog_exit(void)
{
	unsigned int i;

	misc_deregister(&pktlog_device);
	for (i = 0; i < PKTLOG_RECORDS; i++) {
		if (records[i])
			pktlog_record_free(records[i]);
	}
}

module_init(pktlog_init);
module_exit(pktlog_exit);
MODULE_DESCRIPTION("Keeps records");
MODULE_LICENSE("GPL");

// SPDX-License-Identifier: GPL-2.0
/* Sessions of a policy, one for each time that /dev/polsess is open; a write logs what the session weighs. */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

struct rules {
	int count;
	int weight;
};

struct session {
	char owner[40];
	const struct rules *rules;
	int asked;
};

static const struct rules default_rules = { 2, 30 };

static int polsess_open(struct inode *inode, struct file *file)
{
	struct session *session;

	/* Opened before. */
	if (file->private_data)
		return 0;
	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return -ENOMEM;
	session->rules = &default_rules;
	file->private_data = session;
	return 0;
}

static noinline int session_weight(struct session *session)
{
	return session->rules->weight + session->asked; /* BUG: misc_open() set private_data to the device */
}

static ssize_t polsess_write(struct file *file, const char __user *data, size_t size, loff_t *at)
{
	pr_info("weight %d\n", session_weight(file->private_data));
	return size;
}

static const struct file_operations polsess_fops = {
	.owner = THIS_MODULE,
	.open = polsess_open,
	.write = polsess_write,
};

static struct miscdevice polsess_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "polsess",
	.fops = &polsess_fops,
};

module_misc_device(polsess_device);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Sessions of a policy");

// SPDX-License-Identifier: GPL-2.0
/* Reads and writes of the parameter `reads` are counted. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "pcstat.h"

static struct pcstat stat;

static int get_reads(char *text, const struct kernel_param *parameter)
{
	pcstat_note_read(&stat);
	return sprintf(text, "%llu\n", pcstat_reads(&stat));
}

static int set_reads(const char *value, const struct kernel_param *parameter)
{
	pcstat_note_write(&stat);
	return -EPERM;
}

static const struct kernel_param_ops reads_ops = {
	.get = get_reads,
	.set = set_reads,
};
module_param_cb(reads, &reads_ops, NULL, 0644);

static int __init pcstat_init(void)
{
	return pcstat_create(&stat);
}

static void __exit pcstat_exit(void)
{
	pcstat_destroy(&stat);
}

module_init(pcstat_init);
module_exit(pcstat_exit);
MODULE_DESCRIPTION("Counts reads and writes");
MODULE_LICENSE("GPL");

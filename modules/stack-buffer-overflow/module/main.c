// SPDX-License-Identifier: GPL-2.0
/* Through module parameters: `block` takes a host, `ask` an address. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "urlfilter.h"

static struct urlfilter_list list;
static unsigned int blocked;

static int with_line(const char *value, int (*use)(const char *line))
{
	char *line = kstrdup(value, GFP_KERNEL);
	int result;

	if (!line)
		return -ENOMEM;
	result = use(strim(line));
	kfree(line);
	return result;
}

static int block(const char *host)
{
	return urlfilter_block(&list, host);
}

static int ask(const char *address)
{
	if (urlfilter_is_blocked(&list, address))
		blocked++;
	return 0;
}

static int set_block(const char *value, const struct kernel_param *parameter)
{
	return with_line(value, block);
}

static int set_ask(const char *value, const struct kernel_param *parameter)
{
	return with_line(value, ask);
}

static const struct kernel_param_ops block_ops = { .set = set_block };
static const struct kernel_param_ops ask_ops = { .set = set_ask };

module_param_cb(block, &block_ops, NULL, 0200);
module_param_cb(ask, &ask_ops, NULL, 0200);
module_param(blocked, uint, 0444);

static int __init urlfilter_init(void)
{
	return 0;
}

static void __exit urlfilter_exit(void)
{
}

module_init(urlfilter_init);
module_exit(urlfilter_exit);
MODULE_DESCRIPTION("Says which hosts are blocked");
MODULE_LICENSE("GPL");

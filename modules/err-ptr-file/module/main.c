// SPDX-License-Identifier: GPL-2.0
/* The path of a file, written to the parameter `load`, reads its settings. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "confload.h"

static unsigned int loaded;

static int load_from(char *path)
{
	struct confload_source source = { .path = strim(path) };
	int result = confload_open(&source);

	if (result)
		return result;
	pr_info("confload: %s has %lld bytes\n", source.path, source.size);
	confload_close(&source);
	loaded++;
	return 0;
}

static int set_load(const char *value, const struct kernel_param *parameter)
{
	char *path = kstrdup(value, GFP_KERNEL);
	int result;

	if (!path)
		return -ENOMEM;
	result = load_from(path);
	kfree(path);
	return result;
}

static const struct kernel_param_ops load_ops = { .set = set_load };

module_param_cb(load, &load_ops, NULL, 0200);
module_param(loaded, uint, 0444);

static int __init confload_init(void)
{
	return 0;
}

static void __exit confload_exit(void)
{
}

module_init(confload_init);
module_exit(confload_exit);
MODULE_DESCRIPTION("Reads settings from files");
MODULE_LICENSE("GPL");

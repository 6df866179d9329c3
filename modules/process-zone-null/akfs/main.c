// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "akfs_internal.h"

static void *akfs_alloc(size_t size)
{
	return kzalloc(size, GFP_KERNEL);
}

static void akfs_free(void *memory)
{
	kfree(memory);
}

static u64 akfs_timestamp(void)
{
	return ktime_to_ns(ktime_get());
}

static akfs_operation_t akfs_operations = {
	.init = akfs_channel_init,
	.reg = akfs_class_register,
	.unreg = akfs_class_unregister,
	.alloc = akfs_alloc,
	.free = akfs_free,
	.put = akfs_channel_put,
	.get_fpath = akfs_file_path,
	.get_args = akfs_exec_arguments,
	.get_zone = akfs_file_zone,
	.get_timestamp = akfs_timestamp,
};

akfs_operation_t *akfs_get_operations(void)
{
	return &akfs_operations;
}
EXPORT_SYMBOL_GPL(akfs_get_operations);

static int __init akfs_module_init(void)
{
	return akfs_zones_init();
}

static void __exit akfs_module_exit(void)
{
	akfs_zones_exit();
}

module_init(akfs_module_init);
module_exit(akfs_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Facts about files and tasks for the modules that watch them");

// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/time.h>

#include "akfs_internal.h"

static bool stop;
module_param(stop, bool, 0644);
MODULE_PARM_DESC(stop, "Collect nothing while set");

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

static u64 akfs_unix_seconds(void)
{
	return div_u64(ktime_to_ns(ktime_get_real()), NSEC_PER_SEC);
}

static bool akfs_stopped(void)
{
	return stop;
}

/*
 * get_fhash is filled in by akfs_register_hash_backend(): the digest of a
 * file's content needs an algorithm that this module does not bring along.
 */
akfs_operation_t akfs_operations = {
	.init = akfs_channel_init,
	.reg = akfs_class_register,
	.unreg = akfs_class_unregister,
	.alloc = akfs_alloc,
	.free = akfs_free,
	.put = akfs_channel_put,
	.get_fpath = akfs_file_path,
	.get_dpath = akfs_dentry_path,
	.get_ipath = akfs_inode_path,
	.get_ppath = akfs_path_path,
	.get_tpath = akfs_task_path,
	.get_args = akfs_exec_arguments,
	.get_cmdline = akfs_task_command,
	.get_thash = akfs_task_hash,
	.get_timestamp = akfs_timestamp,
	.get_unixts = akfs_unix_seconds,
	.get_meta = akfs_file_meta,
	.get_stop_status = akfs_stopped,
};

akfs_operation_t *akfs_get_operations(void)
{
	return &akfs_operations;
}
EXPORT_SYMBOL_GPL(akfs_get_operations);

static int __init akfs_module_init(void)
{
	pr_info("akfs: ready, collection is %s\n", stop ? "stopped" : "running");
	return 0;
}

static void __exit akfs_module_exit(void)
{
}

module_init(akfs_module_init);
module_exit(akfs_module_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Facts about files and tasks for the modules that watch them");

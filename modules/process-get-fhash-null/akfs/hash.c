// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/module.h>

#include "akfs_internal.h"

#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static u64 fold(u64 hash, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	while (size--)
		hash = (hash ^ *byte++) * FNV_PRIME;
	return hash;
}

/* Names a task over the lifetime of the system, as its pid does not. */
int akfs_task_hash(struct task_struct *task, char *buffer, size_t size)
{
	u64 hash = FNV_BASIS;
	int length;

	hash = fold(hash, &task->pid, sizeof(task->pid));
	hash = fold(hash, &task->start_time, sizeof(task->start_time));
	length = snprintf(buffer, size, "%016llx", hash);
	return length < size ? 0 : -E2BIG;
}

int akfs_register_hash_backend(const struct akfs_hash_backend *backend)
{
	if (!backend->file)
		return -EINVAL;
	akfs_operations.get_fhash = backend->file;
	pr_info("akfs: files are hashed with %s\n", backend->algorithm);
	return 0;
}
EXPORT_SYMBOL_GPL(akfs_register_hash_backend);

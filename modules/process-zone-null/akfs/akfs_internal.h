/* SPDX-License-Identifier: GPL-2.0 */
#ifndef AKFS_INTERNAL_H
#define AKFS_INTERNAL_H

#include "akfs.h"

/* channel.c */
int akfs_channel_init(akfs_args_t *args, unsigned int limit);
int akfs_channel_put(akfs_args_t *args, const void *record, size_t size);

/* class.c */
int akfs_class_register(akfs_class_t *watcher);
void akfs_class_unregister(akfs_class_t *watcher);

/* path.c */
int akfs_file_path(struct file *file, char *buffer, size_t size);

/* task.c */
int akfs_exec_arguments(struct linux_binprm *bprm, char *buffer, size_t size);

/* zone.c */
akfs_zone_t *akfs_file_zone(struct file *file);
int akfs_zones_init(void);
void akfs_zones_exit(void);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* hooktab runs hooks by their number and keeps notes for whoever reads the log. */
#ifndef HOOKTAB_H
#define HOOKTAB_H

#include <linux/list.h>
#include <linux/types.h>

#define HOOKTAB_HOOKS 4
#define HOOKTAB_NOTE_SIZE 160

struct hooktab_stats {
	u64 runs;
	u64 failures;
};

struct hooktab_hook {
	char name[72];
	unsigned int number;
	unsigned int flags;
	struct hooktab_stats *stats;
	int (*run)(struct hooktab_hook *hook, long argument);
	u64 spare[8];
};

/* hook.c */
int hooktab_add(unsigned int number, const char *name);
int hooktab_remove(unsigned int number);
int hooktab_run(unsigned int number, long argument);
void hooktab_remove_all(void);

/* note.c */
int hooktab_note(const char *text);
void hooktab_forget_notes(void);

#endif

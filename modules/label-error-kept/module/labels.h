/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LABELS_H
#define LABELS_H
#include <linux/types.h>

struct label {
	u16 length;
	u16 level;
	char text[];
};
struct subject {
	pid_t pid;
	struct label *label;
};
struct subject *subject_of(pid_t pid);
int subject_relabel(pid_t pid, const char *text);
int subject_dominates(pid_t one, pid_t other);
#endif

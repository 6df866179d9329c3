/* SPDX-License-Identifier: GPL-2.0 */
#ifndef OPENWATCH_H
#define OPENWATCH_H
#include <linux/types.h>

struct watch_owner {
	uid_t uid;
	atomic_t failures;
};
struct watch {
	const char *prefix;
	struct watch_owner *owner;
	struct watch *next;
};
struct open_call {
	struct watch *watch;
	u64 began;
};
struct watch *watch_find(const char *name);
int watch_add(const char *prefix, bool owned);
int openwatch_attach(void);
void openwatch_detach(void);
#endif

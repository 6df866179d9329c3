/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SESSION_H
#define SESSION_H
#include <linux/list.h>
#include <linux/workqueue.h>

struct session {
	struct list_head link;
	u32 id;
	unsigned long expires;
	struct delayed_work expire;
	char peer[48];
};
int session_open(u32 id, const char *peer);
int session_close(u32 id);
void session_close_all(void);
#endif

/* SPDX-License-Identifier: GPL-2.0 */
#ifndef PAGEPOL_H
#define PAGEPOL_H

#include <linux/mm.h>
#include <linux/types.h>

struct pagepol_verdict {
	const char *name;
	int code;
};

/* A policy fills a page: what is known of it, and as many ports as have room behind that. */
struct pagepol_policy {
	const struct pagepol_verdict *otherwise;
	const struct pagepol_verdict *listed;
	unsigned int count;
	u16 ports[(PAGE_SIZE - 24) / sizeof(u16)];
};

int pagepol_load(const char *name, unsigned int port);
void pagepol_unload(void);
int pagepol_ask(unsigned int port);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* sessd keeps sessions and the accounts they are charged to. */
#ifndef SESSD_H
#define SESSD_H

#include <linux/list.h>
#include <linux/types.h>

#define SESSD_NAME_SIZE 32

struct sessd_account {
	char name[SESSD_NAME_SIZE];
	u64 charged;
	u64 limit;
};

struct sessd_session {
	struct list_head node;
	unsigned int id;
	unsigned int flags;
	struct sessd_account *account;
	char peer[SESSD_NAME_SIZE];
};

int sessd_open(unsigned int id, const char *account);
int sessd_select(unsigned int id);
int sessd_close(unsigned int id);
int sessd_charge(u64 amount);
void sessd_close_all(void);

#endif

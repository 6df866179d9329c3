// SPDX-License-Identifier: GPL-2.0
/* The caller holds the device's mutex. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>

#include "sessd.h"

static LIST_HEAD(sessions);

/* The session that following commands are about. */
static struct sessd_session *selected;

static struct sessd_session *find(unsigned int id)
{
	struct sessd_session *session;

	list_for_each_entry(session, &sessions, node) {
		if (session->id == id)
			return session;
	}
	return NULL;
}

int sessd_open(unsigned int id, const char *account)
{
	struct sessd_session *session;

	if (find(id))
		return -EEXIST;
	session = kzalloc(sizeof(*session), GFP_KERNEL);
	if (!session)
		return -ENOMEM;
	session->account = kzalloc(sizeof(*session->account), GFP_KERNEL);
	if (!session->account) {
		kfree(session);
		return -ENOMEM;
	}
	session->id = id;
	session->account->limit = 1000;
	snprintf(session->account->name, SESSD_NAME_SIZE, "%s", account);
	list_add(&session->node, &sessions);
	return 0;
}

int sessd_select(unsigned int id)
{
	struct sessd_session *session = find(id);

	if (!session)
		return -ENOENT;
	selected = session;
	return 0;
}

/* Leaves `selected` as it is. */
int sessd_close(unsigned int id)
{
	struct sessd_session *session = find(id);

	if (!session)
		return -ENOENT;
	list_del(&session->node);
	kfree(session->account);
	kfree(session);
	return 0;
}

static bool over_limit(const struct sessd_account *account, u64 amount)
{
	return account->charged + amount > account->limit; /* BUG: the session was freed, and its account with it */
}

int sessd_charge(u64 amount)
{
	if (!selected)
		return -ENOENT;
	if (over_limit(selected->account, amount))
		return -EDQUOT;
	selected->account->charged += amount;
	return 0;
}

void sessd_close_all(void)
{
	while (!list_empty(&sessions))
		sessd_close(list_first_entry(&sessions, struct sessd_session, node)->id);
	selected = NULL;
}

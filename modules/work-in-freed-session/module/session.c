// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "session.h"

static LIST_HEAD(sessions);
static DEFINE_MUTEX(sessions_lock);

static void expired(struct work_struct *work)
{
	struct session *session = container_of(to_delayed_work(work), struct session, expire);

	mutex_lock(&sessions_lock);
	list_del(&session->link);
	mutex_unlock(&sessions_lock);
	pr_info("sessions: %u of %s is over\n", session->id, session->peer);
	kfree(session);
}

static void session_free(struct session *session)
{
	list_del(&session->link);
	kfree(session); /* BUG: its work is still to come */
}

int session_open(u32 id, const char *peer)
{
	struct session *session = kzalloc(sizeof(*session), GFP_KERNEL);

	if (!session)
		return -ENOMEM;
	session->id = id;
	snprintf(session->peer, sizeof(session->peer), "%s", peer);
	INIT_DELAYED_WORK(&session->expire, expired);
	mutex_lock(&sessions_lock);
	list_add(&session->link, &sessions);
	mutex_unlock(&sessions_lock);
	schedule_delayed_work(&session->expire, HZ / 2);
	return 0;
}

int session_close(u32 id)
{
	struct session *session, *next;
	int result = -ENOENT;

	mutex_lock(&sessions_lock);
	list_for_each_entry_safe(session, next, &sessions, link) {
		if (session->id == id) {
			session_free(session);
			result = 0;
		}
	}
	mutex_unlock(&sessions_lock);
	return result;
}

void session_close_all(void)
{
	struct session *session, *next;

	list_for_each_entry_safe(session, next, &sessions, link) {
		cancel_delayed_work_sync(&session->expire);
		session_free(session);
	}
}

/* SPDX-License-Identifier: GPL-2.0 */
/* jobq does jobs for clients in the background and puts the results into their mailboxes. */
#ifndef JOBQ_H
#define JOBQ_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#define JOBQ_NAME_SIZE 24
#define JOBQ_RESULTS 16

struct jobq_mailbox {
	unsigned int head;
	unsigned int tail;
	u64 results[JOBQ_RESULTS];
};

struct jobq_client {
	struct list_head node;
	char name[JOBQ_NAME_SIZE];
	unsigned int pending;
	struct jobq_mailbox *mailbox;
};

struct jobq_job;

struct jobq_operations {
	const char *name;
	u64 (*run)(const struct jobq_job *job);
};

struct jobq_job {
	struct delayed_work work;
	struct jobq_client *client;
	const struct jobq_operations *operations;
	u64 argument;
};

/* client.c */
extern struct mutex jobq_clients_lock;
struct jobq_client *jobq_client_find(const char *name);
int jobq_client_open(const char *name);
int jobq_client_close(const char *name);

/* job.c */
int jobq_submit(struct jobq_client *client, const char *operation, u64 argument);
int jobq_start(void);
void jobq_stop(void);

#endif

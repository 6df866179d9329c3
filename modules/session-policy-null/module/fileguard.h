/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fileguard answers whether a session may open a path. A session gets its
 * rules from a policy, which is attached after the session was opened.
 */
#ifndef FILEGUARD_H
#define FILEGUARD_H

#include <linux/list.h>
#include <linux/types.h>

#define FG_NAME_SIZE 32
#define FG_PATH_SIZE 128

#define FG_READ 0x1
#define FG_WRITE 0x2

enum fg_decision { FG_ALLOW, FG_DENY };

struct fg_rule {
	char prefix[FG_NAME_SIZE];
	u32 denied;
};

struct fg_policy {
	char name[FG_NAME_SIZE];
	u32 default_mask;
	unsigned int count;
	struct fg_rule rules[8];
};

struct fg_session {
	struct list_head node;
	char name[FG_NAME_SIZE];
	u64 requests;
	struct fg_policy *policy;
};

struct fg_request {
	char path[FG_PATH_SIZE];
	u32 access;
	struct fg_session *session;
};

/* session.c */
int fg_session_open(const char *name);
int fg_session_attach(const char *name, u32 mask);
int fg_session_deny(const char *name, const char *prefix);
struct fg_session *fg_session_find(const char *name);
void fg_session_close_all(void);

/* check.c */
enum fg_decision fg_check(struct fg_request *request);

#endif

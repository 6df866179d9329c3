/* SPDX-License-Identifier: GPL-2.0 */
/* proto sends words to handlers by the name of their protocol. */
#ifndef PROTO_H
#define PROTO_H

#include <linux/types.h>

struct proto_handler {
	const char *name;
	unsigned int port;
	unsigned int uses;
	long (*handle)(long word);
};

const struct proto_handler *proto_find(const char *name);
long proto_use(const struct proto_handler *handler, long word);

#endif

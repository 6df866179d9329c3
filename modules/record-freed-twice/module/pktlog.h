/* SPDX-License-Identifier: GPL-2.0 */
/* pktlog keeps the last records that were written to it. */
#ifndef PKTLOG_H
#define PKTLOG_H

#include <linux/types.h>

#define PKTLOG_RECORDS 16
#define PKTLOG_BODY_LIMIT 256

struct pktlog_header {
	char verb[8];
	unsigned int kind;
	unsigned int length;
};

struct pktlog_record {
	struct pktlog_header header;
	u32 checksum;
	char *body;
};

struct pktlog_record *pktlog_record_parse(const char *text, size_t size);
void pktlog_record_free(struct pktlog_record *record);

#endif

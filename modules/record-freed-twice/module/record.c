// SPDX-License-Identifier: GPL-2.0
#include <linux/crc32.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "pktlog.h"

static int parse_header(struct pktlog_header *header, const char *text)
{
	if (sscanf(text, "%7s %u %u:", header->verb, &header->kind, &header->length) != 3)
		return -EINVAL;
	return header->length > PKTLOG_BODY_LIMIT ? -E2BIG : 0;
}

/* Frees the body where it is not as long as the header says. */
static int read_body(struct pktlog_record *record, const char *text, size_t size)
{
	const char *body = strnchr(text, size, ':');

	if (!body)
		return -EINVAL;
	record->body = kstrndup(body + 1, PKTLOG_BODY_LIMIT, GFP_KERNEL);
	if (!record->body)
		return -ENOMEM;
	if (strlen(record->body) != record->header.length) {
		kfree(record->body);
		return -EBADMSG;
	}
	record->checksum = crc32_le(~0, record->body, record->header.length);
	return 0;
}

void pktlog_record_free(struct pktlog_record *record)
{
	kfree(record->body); /* BUG: a body of the wrong length was freed where that was found out */
	kfree(record);
}

struct pktlog_record *pktlog_record_parse(const char *text, size_t size)
{
	struct pktlog_record *record = kzalloc(sizeof(*record), GFP_KERNEL);
	int result;

	if (!record)
		return ERR_PTR(-ENOMEM);
	result = parse_header(&record->header, text);
	if (!result)
		result = read_body(record, text, size);
	if (!result)
		return record;
	pktlog_record_free(record);
	return ERR_PTR(result);
}

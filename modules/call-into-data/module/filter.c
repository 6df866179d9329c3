// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "minijit.h"

static void emit(struct minijit_filter *filter, const u8 *bytes, unsigned int count)
{
	if (filter->length + count > MINIJIT_CODE)
		return;
	memcpy(filter->code + filter->length, bytes, count);
	filter->length += count;
}

static void emit_compare(struct minijit_filter *filter)
{
	static const u8 compare[] = { 0x81, 0xff }; /* cmp edi, limit */

	emit(filter, compare, sizeof(compare));
	emit(filter, (const u8 *)&filter->limit, sizeof(filter->limit));
}

static void emit_result(struct minijit_filter *filter)
{
	static const u8 result[] = { 0x0f, 0x97, 0xc0, 0xc3 }; /* seta al; ret */

	emit(filter, result, sizeof(result));
}

struct minijit_filter *minijit_compile(unsigned int limit)
{
	struct minijit_filter *filter = kzalloc(sizeof(*filter), GFP_KERNEL);

	if (!filter)
		return NULL;
	filter->code = kzalloc(MINIJIT_CODE, GFP_KERNEL);
	if (!filter->code) {
		kfree(filter);
		return NULL;
	}
	filter->limit = limit;
	emit_compare(filter);
	emit_result(filter);
	return filter;
}

static bool run_once(struct minijit_filter *filter, unsigned int value)
{
	bool matches = filter->matches(value); /* BUG: the code lies in memory that is not executable */

	filter->runs++;
	return matches;
}

bool minijit_run(struct minijit_filter *filter, unsigned int value)
{
	return run_once(filter, value);
}

void minijit_free(struct minijit_filter *filter)
{
	kfree(filter->code);
	kfree(filter);
}

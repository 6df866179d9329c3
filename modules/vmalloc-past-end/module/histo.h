/* SPDX-License-Identifier: GPL-2.0 */
/* histo counts values in buckets, in an array that may be large. */
#ifndef HISTO_H
#define HISTO_H

#include <linux/types.h>

struct histo_bucket {
	u64 count;
	u64 sum;
};

struct histo {
	unsigned int buckets;
	unsigned int width;
	struct histo_bucket *bucket;
};

int histo_create(struct histo *histogram, unsigned int buckets, unsigned int width);
void histo_count(struct histo *histogram, unsigned int value);
void histo_destroy(struct histo *histogram);

#endif

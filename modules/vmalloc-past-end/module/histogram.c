// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "histo.h"

int histo_create(struct histo *histogram, unsigned int buckets, unsigned int width)
{
	if (!buckets || !width)
		return -EINVAL;
	histogram->bucket = vzalloc(buckets * sizeof(*histogram->bucket));
	if (!histogram->bucket)
		return -ENOMEM;
	histogram->buckets = buckets;
	histogram->width = width;
	return 0;
}

static inline struct histo_bucket *bucket_of(struct histo *histogram, unsigned int value)
{
	return &histogram->bucket[value / histogram->width];
}

static void add(struct histo_bucket *bucket, unsigned int value)
{
	bucket->sum += value; /* BUG: the value is above all buckets */
	bucket->count++;
}

void histo_count(struct histo *histogram, unsigned int value)
{
	add(bucket_of(histogram, value), value);
}

void histo_destroy(struct histo *histogram)
{
	vfree(histogram->bucket);
	histogram->bucket = NULL;
}

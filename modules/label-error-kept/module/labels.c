// SPDX-License-Identifier: GPL-2.0
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "labels.h"

static struct label *label_parse(const char *text)
{
	size_t length = strlen(text);
	struct label *label;

	if (length > 15)
		return ERR_PTR(-ENAMETOOLONG);
	label = kzalloc(sizeof(*label) + length + 1, GFP_KERNEL);
	if (!label)
		return ERR_PTR(-ENOMEM);
	label->length = length;
	label->level = text[0] - '0';
	memcpy(label->text, text, length);
	return label;
}

int subject_relabel(pid_t pid, const char *text)
{
	struct subject *subject = subject_of(pid);

	if (!subject)
		return -ENOENT;
	subject->label = label_parse(text);
	return 0;
}

static noinline int level(const struct subject *subject)
{
	const struct label *label = subject->label;

	if (!label)
		return 0;
	return label->level; /* BUG: the error of a label that was too long is kept in its place */
}

int subject_dominates(pid_t one, pid_t other)
{
	struct subject *first = subject_of(one), *second = subject_of(other);

	if (!first || !second)
		return -ENOENT;
	return level(first) >= level(second);
}

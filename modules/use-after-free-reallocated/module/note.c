// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "hooktab.h"

struct note {
	struct list_head node;
	char text[HOOKTAB_NOTE_SIZE];
};

static LIST_HEAD(notes);

int hooktab_note(const char *text)
{
	struct note *note = kmalloc(sizeof(*note), GFP_KERNEL);
	size_t at = 0, length = strlen(text);

	if (!note)
		return -ENOMEM;
	if (!length) {
		kfree(note);
		return -EINVAL;
	}
	/* Short texts are repeated, so that they fill the line. */
	for (at = 0; at + 1 < sizeof(note->text); at++)
		note->text[at] = text[at % length];
	note->text[at] = '\0';
	list_add_tail(&note->node, &notes);
	return 0;
}

void hooktab_forget_notes(void)
{
	struct note *note, *next;

	list_for_each_entry_safe(note, next, &notes, node) {
		list_del(&note->node);
		kfree(note);
	}
}

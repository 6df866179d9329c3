// SPDX-License-Identifier: GPL-2.0
/* Each level renders into a buffer of its own and hands a digest upwards. */
#include <linux/compiler.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "repgen.h"

static u32 digest(const char *text, unsigned int count)
{
	return jhash(text, strnlen(text, REPGEN_TEXT), count);
}

static noinline u32 render_unit(unsigned int cell)
{
	char text[REPGEN_TEXT];

	memset(text, 'u', sizeof(text));
	snprintf(text, sizeof(text), "%u", cell);
	return digest(text, cell);
}

static noinline u32 render_cell(unsigned int cell)
{
	char text[REPGEN_TEXT];

	memset(text, ' ', sizeof(text));
	snprintf(text, sizeof(text), "cell %u: %08x", cell, render_unit(cell));
	return digest(text, cell);
}

static noinline u32 render_row(const struct repgen_shape *shape)
{
	char text[REPGEN_TEXT];
	unsigned int cell;
	u32 sum = 0;

	for (cell = 0; cell < shape->cells; cell++) {
		snprintf(text, sizeof(text), "%08x | %08x", sum, render_cell(cell));
		sum ^= digest(text, cell);
	}
	return sum;
}

static noinline u32 render_table(const struct repgen_shape *shape)
{
	char text[REPGEN_TEXT];
	unsigned int row;
	u32 sum = 0;

	for (row = 0; row < shape->rows; row++) {
		snprintf(text, sizeof(text), "row %u of %u: %08x", row, shape->rows, render_row(shape));
		sum ^= digest(text, row);
	}
	return sum;
}

static noinline u32 render_section(const struct repgen_shape *shape)
{
	char text[REPGEN_TEXT];
	unsigned int table;
	u32 sum = 0;

	for (table = 0; table < shape->tables; table++) {
		snprintf(text, sizeof(text), "table %u: %08x", table, render_table(shape));
		sum ^= digest(text, table);
	}
	return sum;
}

static noinline u32 render_chapter(const struct repgen_shape *shape)
{
	char text[REPGEN_TEXT];
	unsigned int section;
	u32 sum = 0;

	for (section = 0; section < shape->sections; section++) {
		snprintf(text, sizeof(text), "section %u: %08x", section, render_section(shape));
		sum ^= digest(text, section);
	}
	return sum;
}

u32 repgen_report(const struct repgen_shape *shape)
{
	char text[64];

	snprintf(text, sizeof(text), "report %08x", render_chapter(shape));
	return digest(text, 0);
}

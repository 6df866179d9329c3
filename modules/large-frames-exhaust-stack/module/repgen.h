/* SPDX-License-Identifier: GPL-2.0 */
/* repgen renders reports: sections of tables of rows of cells. */
#ifndef REPGEN_H
#define REPGEN_H

#include <linux/types.h>

#define REPGEN_TEXT 2900

struct repgen_shape {
	unsigned int sections;
	unsigned int tables;
	unsigned int rows;
	unsigned int cells;
};

u32 repgen_report(const struct repgen_shape *shape);

#endif

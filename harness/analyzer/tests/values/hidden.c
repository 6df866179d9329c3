// SPDX-License-Identifier: MIT OR Apache-2.0
/* Defines what the other program only declares, as a module does. */
struct secret {
	int answer;
	char word[8];
};

typedef struct {
	int only_here;
} module_type_t;

struct secret hidden = { 42, "module" };
module_type_t of_module = { 3 };

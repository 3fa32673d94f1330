/* SPDX-License-Identifier: MIT */
/* Logs that are well-formed and yet cannot be meant. */
#include "plan/draft.h"

/* Less than that, and a log would be nothing but renames. */
#define SIZE_LEAST 1024
#define EVERY_LEAST EFF_S(1)

void log_check(struct load *load, const struct plan_unit *unit)
{
	struct node *size = draft_node(load, unit->index, FIELD_LOG_ROTATE_SIZE);
	struct node *every = draft_node(load, unit->index, FIELD_LOG_ROTATE_EVERY);

	if (size && unit->ways->rotate.size_bytes > 0 && unit->ways->rotate.size_bytes < SIZE_LEAST)
		diag_help(load->diags,
			fault(load, size, "E209", "`log.rotate.size` must be at least 1KiB"),
			"write 0 for files that are not put aside because of their size");
	if (every && unit->ways->rotate.every_ns < EVERY_LEAST)
		(void)fault(load, every, "E209", "`log.rotate.every` must be at least 1s");
}

/* SPDX-License-Identifier: MIT */
/* Logs that are well-formed and yet cannot be meant. */
#include <string.h>

#include "plan/draft.h"

/* Less than that, and a log would be nothing but renames. */
#define SIZE_LEAST 1024
#define EVERY_LEAST EFF_S(1)

bool plan_log_is_own_output(const char *path)
{
	static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/", "/proc/1/fd/"};

	if (strcmp(path, "/dev/stdout") == 0 || strcmp(path, "/dev/stderr") == 0)
		return true;
	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		size_t len = strlen(folders[i]);

		if (strncmp(path, folders[i], len) == 0)
			return strcmp(path + len, "1") == 0 || strcmp(path + len, "2") == 0;
	}
	return false;
}

static void target_check(struct load *load, const struct plan_unit *unit, enum field_id id,
	const struct plan_log_target *target)
{
	struct node *node = draft_node(load, unit->index, id);

	if (node && target->kind == PLAN_LOG_FILE && target->path &&
		plan_log_is_own_output(target->path))
		diag_help(load->diags,
			fault(load, node, "E202",
				"`%s` is no file: nothing could be written to it", target->path),
			"write `%s: inherit`, which is effd's own output",
			id == FIELD_LOG_STDOUT ? "stdout" : "stderr");
}

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
	target_check(load, unit, FIELD_LOG_STDOUT, &unit->out);
	target_check(load, unit, FIELD_LOG_STDERR, &unit->err);
}

/* SPDX-License-Identifier: MIT */
/* Reading the tree: of the files that the command line names, or made of a command. It blocks as files and user databases
 * do; while units run it is done on a thread. */
#include <errno.h>
#include <unistd.h>

#include "effd/effd.h"
#include "plan/source_files.h"

int tree_load(const struct options *options, struct plan **ret_plan, struct diags *diags)
{
	struct plan_source source;

	source_files((plan_strv)environ, &source);
	if (options->command)
		return plan_of_command(options->command, &source, ret_plan, diags);
	return plan_load(options->tree, &source, ret_plan, diags);
}

struct loading {
	const struct options *options;
	const struct plan *present;
	plan_strv environment;
	struct plan_addition *addition; /* NULL: none */
	struct plan *plan;
	struct diags *diags;
	int result;
};

static void loading_run(void *arg)
{
	struct loading *l = arg;
	struct plan_source source;

	source_files(l->environment, &source);
	if (l->addition)
		l->result = plan_add(l->present, l->addition, &source, &l->plan, l->diags);
	else if (l->options->command)
		l->result = plan_of_command(l->options->command, &source, &l->plan, l->diags);
	else
		l->result = plan_load_again(
			l->options->tree, &source, l->present, &l->plan, l->diags);
}

static int loading_await(struct loading *l, struct plan **ret_plan)
{
	eff_masked before = eff_mask();
	int r;

	/* What the variable shows the thread may be another one's for a moment (calendar.c). */
	l->environment = (plan_strv)environ;
	r = eff_blocking(loading_run, l, NULL);
	eff_unmask(before);
	if (r < 0)
		return r;
	if (l->result == 0)
		*ret_plan = l->plan;
	return l->result;
}

int tree_load_await(const struct options *options, const struct plan *present,
	struct plan **ret_plan, struct diags *diags)
{
	return loading_await(
		&(struct loading){.options = options, .present = present, .diags = diags}, ret_plan);
}

int tree_add_await(const struct plan *present, struct plan_addition *addition,
	struct plan **ret_plan, struct diags *diags)
{
	return loading_await(
		&(struct loading){.present = present, .addition = addition, .diags = diags},
		ret_plan);
}

/* SPDX-License-Identifier: MIT */
/* A service that the rest cannot do without, and one that it can. The body of a fiber owns both: when it returns because
 * of the critical one, the optional one is interrupted and awaited before anybody sees the end. */
#include "example.h"

struct service {
	eff_ns lives;
	const char *dies_of; /* NULL: it ends well */
};

struct tree {
	struct service critical, optional;
};

static eff_exit run_service(const char *name, const struct service *service)
{
	int r = eff_sleep(service->lives);

	if (r < 0) {
		say("%s service interrupted", name);
		return eff_exit_of(r);
	}
	if (service->dies_of)
		return eff_die("%s", service->dies_of);
	say("%s service is done", name);
	return eff_ok(NULL);
}

static eff_exit critical_service(void *arg)
{
	return run_service("Critical", arg);
}

static eff_exit optional_service(void *arg)
{
	return run_service("Optional", arg);
}

static eff_exit await_both(struct eff_fiber *critical, struct eff_fiber *optional)
{
	eff_exit exit;
	int r;

	/* The critical service must succeed. */
	r = eff_await(critical, &exit);
	if (r < 0)
		return eff_exit_of(r);
	if (!eff_is_ok(exit))
		return exit;

	/* The optional service can fail. */
	r = eff_await(optional, &exit);
	if (r < 0)
		return eff_exit_of(r);
	if (!eff_is_ok(exit))
		say("Optional service failed: %s", eff_exit_words(exit));
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

/* The tree, with services that outlive its frame. */
static eff_exit handle_failures(void *arg)
{
	struct tree *tree = arg;
	struct eff_fiber *critical = NULL;
	struct eff_fiber *optional = NULL;
	eff_exit exit;
	int r;

	r = eff_fork(EFF(critical_service, &tree->critical), &critical);
	if (r >= 0)
		r = eff_fork(EFF(optional_service, &tree->optional), &optional);
	exit = r < 0 ? eff_exit_of(r) : await_both(critical, optional);
	eff_fiber_unref(critical);
	eff_fiber_unref(optional);
	return exit;
}

static void run_tree(struct eff_rt *rt, const char *what, struct tree tree)
{
	eff_exit exit;
	char text[80];

	say("%s", what);
	exit = eff_rt_run(rt, EFF(handle_failures, &tree));
	say("The tree ended: %s", eff_exit_text(exit, text, sizeof(text)));
	eff_exit_drop(exit);
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);
	struct eff_rt *rt;

	if (eff_rt_new(&opts, &rt) < 0)
		return 1;
	run_tree(rt, "The optional one dies:",
		(struct tree){{EFF_S(2), NULL}, {EFF_S(1), "out of memory"}});
	run_tree(rt, "The critical one dies:",
		(struct tree){{EFF_S(1), "disk on fire"}, {EFF_S(2), NULL}});
	eff_rt_free(rt);
	return 0;
}

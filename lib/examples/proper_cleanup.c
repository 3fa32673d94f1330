/* SPDX-License-Identifier: MIT */
/* A runtime made by hand, and cleaned up whatever happens; in it a resource that is released once, also when the fiber
 * that uses it fails. The finalizer is shown how it went. */
#include "example.h"

struct connection {
	bool will_break;
	int n_closed;
};

static eff_exit connection_open(void *arg)
{
	(void)arg;
	say("Connection opened");
	return eff_ok(NULL);
}

static eff_exit connection_use(void *arg)
{
	const struct connection *connection = arg;
	int r = eff_sleep(EFF_MS(500));

	if (r < 0)
		return eff_exit_of(r);
	if (connection->will_break)
		return eff_failf(1, "the connection broke");
	return eff_ok_number(42);
}

static eff_exit connection_close(void *arg, eff_exit exit)
{
	struct connection *connection = arg;
	char text[80];

	connection->n_closed++;
	say("Connection closed (%s)", eff_exit_text(exit, text, sizeof(text)));
	return eff_ok(NULL);
}

static eff_exit my_effect(void *arg)
{
	return eff_bracket(connection_open, connection_use, connection_close, arg);
}

/* Your application logic. */
static eff_exit application(void *arg)
{
	struct eff_fiber *fiber;
	int r = eff_fork(EFF(my_effect, arg), &fiber);

	return r < 0 ? eff_exit_of(r) : join(fiber);
}

static void run(struct eff_rt *rt, struct connection *connection)
{
	eff_exit exit = eff_rt_run(rt, EFF(application, connection));

	if (eff_is_ok(exit))
		say("Result: %d", (int)exit.value.number);
	else
		say("Failed: %s", eff_exit_words(exit));
	say("Finalizers that ran: %d", connection->n_closed);
	eff_exit_drop(exit);
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);
	struct eff_rt *rt;
	int r;

	if (eff_rt_new(&opts, &rt) < 0)
		return 1;
	run(rt, &(struct connection){0});
	run(rt, &(struct connection){.will_break = true});

	/* Always clean up: interrupt what is left, and wait for it. */
	r = eff_rt_shutdown(rt, EFF_S(10));
	say("Shutdown: %s", r == 0 ? "nothing left" : "some fibers do not end");
	if (r == 0)
		eff_rt_free(rt);
	return r == 0 ? 0 : 1;
}

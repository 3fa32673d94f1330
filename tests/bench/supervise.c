/* SPDX-License-Identifier: MIT */
/* What a supervisor costs a child, and that it costs no more when there are four times as many: start, a round or an end of
 * all at once, stop. The best of a few rounds counts. Prints `measure.libeff value unit`. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <eff.h>

/* Both larger than what a cache holds, which makes small ones ten times as quick. */
enum { FEW = 10000, MANY = 4 * FEW, ROUNDS = 5 };

struct kind {
	const char *name;
	struct eff_sup_opts opts;
	bool all_end; /* each ends once; else the first does */
};

struct measure {
	const struct kind *kind;
	size_t n;
	double start_ns, middle_ns, stop_ns; /* a child */
};

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static eff_exit child_run(void *arg)
{
	const struct eff_child *self = eff_child_self();
	const bool *all_end = arg;

	if (self->runs > 1 || !(*all_end || self->place == 1))
		return eff_exit_of(eff_sleep(EFF_FOREVER));
	(void)eff_sleep(EFF_S(1));
	return eff_fail(1);
}

static void keep_least(double *least, double took, size_t n)
{
	took /= (double)n;
	if (*least == 0 || took < *least)
		*least = took;
}

static eff_exit measure_once(void *arg)
{
	struct measure *m = arg;
	struct eff_child *children = calloc(m->n, sizeof(*children));
	bool all_end = m->kind->all_end;
	struct eff_scope scope;
	struct eff_sup sup;
	double at[4];

	eff_scope_open(&scope);
	if (!children || eff_sup_open(&sup, &m->kind->opts) < 0)
		exit(1);
	for (size_t i = 0; i < m->n; i++) {
		children[i] = (struct eff_child){.name = "child",
			.run = EFF(child_run, &all_end),
			.policy = eff_policy_of(EFF_ALWAYS),
			.up_at_once = true};
		eff_sup_add(&sup, &children[i]);
	}
	at[0] = now_ns();
	if (eff_sup_start(&sup) < 0)
		exit(1);
	(void)eff_sup_await_up(&sup);
	at[1] = now_ns();
	(void)eff_sleep(EFF_S(10));
	at[2] = now_ns();
	eff_sup_stop(&sup);
	at[3] = now_ns();
	(void)eff_scope_close(&scope);
	keep_least(&m->start_ns, at[1] - at[0], m->n);
	keep_least(&m->middle_ns, at[2] - at[1], m->n);
	keep_least(&m->stop_ns, at[3] - at[2], m->n);
	free(children);
	return eff_ok(NULL);
}

static void measure(struct measure *m)
{
	struct eff_rt_opts opts = {.clock = eff_testclock_new(0), .seed = 1};
	struct eff_rt *rt;

	if (!opts.clock || eff_rt_new(&opts, &rt) < 0)
		exit(1);
	eff_testclock_autojump(opts.clock, true);
	for (int i = 0; i < ROUNDS; i++)
		eff_exit_drop(eff_rt_run(rt, EFF(measure_once, m)));
	eff_rt_free(rt);
	eff_testclock_free(opts.clock);
}

int main(void)
{
	static const struct kind kinds[] = {
		{"all_end", {.strategy = EFF_ONE_FOR_ONE}, true},
		{"one_for_all", {.strategy = EFF_ONE_FOR_ALL}, false},
		{"rest_for_one", {.strategy = EFF_REST_FOR_ONE, .order = EFF_SEQUENTIAL}, false},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct measure few = {.kind = &kinds[i], .n = FEW},
			       many = {.kind = &kinds[i], .n = MANY};

		measure(&few);
		measure(&many);
		printf("child_start_%s.libeff %.0f ns\n", kinds[i].name, many.start_ns);
		printf("child_restart_%s.libeff %.0f ns\n", kinds[i].name, many.middle_ns);
		printf("child_stop_%s.libeff %.0f ns\n", kinds[i].name, many.stop_ns);
		printf("child_of_four_times_as_many_%s.libeff %.2f times\n", kinds[i].name,
			(many.start_ns + many.middle_ns + many.stop_ns) /
				(few.start_ns + few.middle_ns + few.stop_ns));
	}
	printf("child.libeff %zu bytes\n", sizeof(struct eff_child));
	return 0;
}

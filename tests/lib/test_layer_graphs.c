/* SPDX-License-Identifier: MIT */
/* Random sets of layers, some of which fail, in builds some of which are interrupted. Each is acquired at most once, after
 * what it needs; a build takes as long as its longest way and no longer; what was acquired is released once, in reverse of
 * completion; and when the build is not whole, nothing of it is there. A failure names its seed. */
#include <errno.h>

#include <eff/effect.h>
#include <eff/layer.h>

#include "leak.h"
#include "run.h"

Suite *test_suite(void);

enum { MOST = 9, GRAPHS = 300 };

struct node {
	const struct eff_key *needs[MOST + 1];
	eff_ns acquire_ns, release_ns;
	eff_ns ends_at; /* of its acquire, when all goes well */
	bool fails, stubborn;
	bool begun, up, released;
	int order; /* of its completion */
};

static uint64_t seed, state;
static struct eff_key keys[MOST];
static struct node nodes[MOST];
static struct eff_layer layers[MOST];
static int n_nodes, n_up, n_completed;

#define ck_holds(claim) \
	do { \
		if (!(claim)) \
			ck_abort_msg("seed %llu: %s", (unsigned long long)seed, #claim); \
	} while (0)

static unsigned draw(unsigned n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % n;
}

static bool needs_are_up(const struct node *node)
{
	for (const struct eff_key *const *need = node->needs; *need; need++)
		if (!nodes[*need - keys].up || eff_get(*need) != &nodes[*need - keys])
			return false;
	return true;
}

static eff_exit acquire(void *arg)
{
	struct node *node = arg;
	eff_masked masked = eff_mask();
	int r;

	ck_holds(!node->begun);
	ck_holds(needs_are_up(node));
	node->begun = true;
	if (!node->stubborn)
		eff_unmask(masked);
	r = eff_sleep(node->acquire_ns);
	eff_unmask(masked);
	if (r < 0)
		return eff_exit_of(r);
	if (node->fails)
		return eff_failf(5, "layer %d", (int)(node - nodes));
	node->up = true;
	node->order = n_completed++;
	n_up++;
	return eff_ok(node);
}

static eff_exit release(void *arg, eff_exit exit)
{
	struct node *node = arg;

	(void)exit;
	ck_holds(node->up && !node->released);
	ck_holds(needs_are_up(node));
	/* Last completed, first released, each before the next begins. */
	ck_holds(node->order == n_up - 1);
	ck_holds(eff_sleep(node->release_ns) == 0);
	ck_holds(node->order == n_up - 1);
	node->up = false;
	node->released = true;
	n_up--;
	return eff_ok(NULL);
}

static eff_ns longest_way(void)
{
	eff_ns longest = 0;

	for (int i = 0; i < n_nodes; i++)
		if (nodes[i].ends_at > longest)
			longest = nodes[i].ends_at;
	return longest;
}

static void draw_graph(bool may_fail)
{
	memset(nodes, 0, sizeof(nodes));
	n_up = n_completed = 0;
	n_nodes = 1 + (int)draw(MOST);
	for (int i = 0; i < n_nodes; i++) {
		struct node *node = &nodes[i];
		int n = 0;

		node->acquire_ns = EFF_MS(draw(20));
		node->release_ns = EFF_MS(draw(5));
		node->fails = may_fail && !draw(6);
		node->stubborn = !draw(4);
		for (int j = 0; j < i; j++) {
			if (draw(3))
				continue;
			node->needs[n++] = &keys[j];
			if (nodes[j].ends_at > node->ends_at)
				node->ends_at = nodes[j].ends_at;
		}
		node->ends_at += node->acquire_ns;
		layers[i] = (struct eff_layer){
			.name = "node",
			.provides = &keys[i],
			.needs = node->needs,
			.acquire = acquire,
			.release = release,
			.arg = node,
		};
	}
}

static eff_exit build_graph(void *arg)
{
	const struct eff_layer *set[MOST];
	struct eff_scope scope;
	eff_exit exit;

	(void)arg;
	/* In another order than that of the needs: eleven has no factor in common with any n. */
	for (int i = 0; i < n_nodes; i++)
		set[i] = &layers[(i * 11 + 3) % n_nodes];
	eff_scope_open(&scope);
	exit = eff_layers_build(&scope, set, (size_t)n_nodes);
	ck_holds(n_up == (eff_is_ok(exit) ? n_nodes : 0));
	if (eff_is_ok(exit))
		ck_holds(eff_now() == longest_way());
	for (int i = 0; i < n_nodes; i++)
		ck_holds((eff_get(&keys[i]) != NULL) == eff_is_ok(exit));
	exit = eff_scope_end(&scope, exit);
	ck_holds(!n_up);
	return exit;
}

static eff_exit broken(void *arg)
{
	struct eff_fiber *child = forked(build_graph, arg);
	bool interrupts = draw(2);
	eff_exit exit;

	if (interrupts) {
		ck_holds(eff_sleep(EFF_MS(draw(60))) == 0);
		eff_interrupt_async(child);
	}
	ck_holds(eff_await(child, &exit) == 0);
	eff_fiber_unref(child);
	ck_holds(eff_is_ok(exit) || exit.code == 5 || interrupts);
	eff_exit_drop(exit);
	return eff_ok(NULL);
}

static void run_graph(uint64_t n, bool breaks)
{
	seed = n;
	state = n * 0x9e3779b97f4a7c15u;
	run_setup();
	draw_graph(breaks);
	run_ok(breaks ? broken : build_graph, NULL);
	for (int i = 0; i < n_nodes; i++)
		ck_holds(!nodes[i].up);
	for (int i = 0; !breaks && i < n_nodes; i++)
		ck_holds(nodes[i].begun && nodes[i].released);
	run_teardown();
}

START_TEST(a_whole_graph_takes_its_longest_way_and_is_released_in_reverse)
{
	for (uint64_t n = 1; n <= GRAPHS; n++)
		run_graph(n, false);
}
END_TEST

START_TEST(a_graph_that_fails_or_is_interrupted_leaves_nothing)
{
	for (uint64_t n = 1; n <= GRAPHS; n++)
		run_graph(n, true);
}
END_TEST

Suite *test_suite(void)
{
	Suite *suite = suite_create("layer_graphs");
	TCase *tcase = tcase_create("layer_graphs");

	test_leak_guard(tcase);
	tcase_add_test(tcase, a_whole_graph_takes_its_longest_way_and_is_released_in_reverse);
	tcase_add_test(tcase, a_graph_that_fails_or_is_interrupted_leaves_nothing);
	suite_add_tcase(suite, tcase);
	return suite;
}

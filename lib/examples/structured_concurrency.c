/* SPDX-License-Identifier: MIT */
/* Work that belongs to a scope. Whatever happens, also an interrupt from outside, when process_all() returns its fibers have
 * ended: so they may use what lies in its frame. One that fails fails alone. */
#include "example.h"

enum { ITEMS = 5 };

struct item {
	int id;
	eff_ns takes_ns;
	struct eff_fiber *processor;
	eff_exit exit;
};

static eff_exit data_processor(void *arg)
{
	const struct item *item = arg;
	int r;

	say("📊 Processing data %d", item->id);
	r = eff_sleep(item->takes_ns);
	if (r < 0)
		return eff_exit_of(r);
	/* Simulate occasional failures: this one always fails. */
	if (item->id == 3)
		return eff_failf(1, "Processing failed for data %d", item->id);
	return eff_ok_number(item->id);
}

static void tell_summary(const struct item *items)
{
	int n_successful = 0;

	for (int i = 0; i < ITEMS; i++)
		n_successful += eff_is_ok(items[i].exit);
	say("\n📈 Processing Summary:");
	say("   Successful: %d", n_successful);
	say("   Failed: %d", ITEMS - n_successful);
	if (n_successful < ITEMS)
		say("   Failed items:");
	for (int i = 0; i < ITEMS; i++)
		if (!eff_is_ok(items[i].exit))
			say("     - Data %d: %s", items[i].id, eff_exit_words(items[i].exit));
}

static eff_exit process_all(struct item *items)
{
	struct eff_scope scope;

	eff_scope_open(&scope);
	for (int i = 0; i < ITEMS; i++) {
		int r = eff_fork(EFF(data_processor, &items[i]), &items[i].processor);

		if (r < 0)
			items[i].exit = eff_exit_of(r);
	}
	say("🚀 Started %d processors", ITEMS);

	for (int i = 0; i < ITEMS; i++) {
		struct item *item = &items[i];

		if (item->processor)
			item->exit = join(item->processor);
		if (eff_is_ok(item->exit))
			say("✅ Data %d: Success", item->id);
		else
			say("❌ Data %d: Failed - %s", item->id, eff_exit_words(item->exit));
	}
	return eff_scope_end(&scope, eff_exit_of(eff_check()));
}

static eff_exit structured_concurrency(void *arg)
{
	struct item items[ITEMS] = {0};
	eff_exit exit;

	(void)arg;
	for (int i = 0; i < ITEMS; i++)
		items[i] = (struct item){.id = i + 1, .takes_ns = EFF_MS(600 + i * 100)};
	exit = process_all(items);
	tell_summary(items);
	for (int i = 0; i < ITEMS; i++)
		eff_exit_drop(items[i].exit);
	return exit;
}

int main(int argc, char **argv)
{
	struct eff_rt_opts opts = example_opts(argc, argv);

	return eff_main(EFF(structured_concurrency, NULL), &opts);
}

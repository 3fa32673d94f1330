/* SPDX-License-Identifier: MIT */
/* The fake kernel's tables: scripts by program, the record of what happened, and the questions that a test asks. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake_parts.h"
#include "fake/os_fake.h"

static const struct os_ops fake_ops = {
	.spawn = fake_spawn,
	.pid = fake_pid,
	.await_end = fake_await_end,
	.signal = fake_signal,
	.signal_and_wake = fake_signal_and_wake,
	.await_gone = fake_await_gone,
	.left = fake_left,
	.read = fake_read,
	.watch = fake_watch_output,
	.notified = fake_notified,
	.await_ready = fake_await_ready,
	.follow = fake_follow,
	.limit = fake_limit,
	.usage = fake_usage,
	.free = fake_free,
	.close_view = fake_close_view,
	.close_kept = fake_close_kept,
	.keep_no_more = fake_keep_no_more,
	.listen = fake_listen,
	.watch_socket = fake_watch_socket,
	.close_socket = fake_close_socket,
	.connect_tcp = fake_connect_tcp,
	.connect_unix = fake_connect_unix,
	.http_get = fake_http_get,
	.file_there = fake_file_there,
	.pid_file = fake_pid_file,
	.read_state = fake_read_state,
	.write_state = fake_write_state,
	.with_logs = fake_with_logs,
	.open_log = fake_open_log,
	.append = fake_append,
	.cut_log = fake_cut_log,
	.look_at_log = fake_look_at_log,
	.rotate_log = fake_rotate_log,
	.compress_log = fake_compress_log,
	.close_log = fake_close_log,
	.send_record = fake_send_record,
	.write_stdout = fake_write_stdout,
};

/* A test without memory is no test. */
void *fake_zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

struct os_fake *fake_of(struct os *os)
{
	return eff_container(os, struct os_fake, os);
}

void fake_breach(struct os_fake *fake, const char *format, ...)
{
	va_list args;

	if (fake->breach[0])
		return;
	va_start(args, format);
	(void)vsnprintf(fake->breach, sizeof(fake->breach), format, args);
	va_end(args);
}

struct os_fake *os_fake_new(void)
{
	struct os_fake *fake = fake_zalloc(sizeof(*fake));

	fake->os.ops = &fake_ops;
	fake->last_pid = 1000;
	fake->cgroup_error = EOPNOTSUPP;
	fake->used = (struct os_usage){.cpu_s = 1.5, .memory_bytes = 4096};
	eff_list_init(&fake->children);
	eff_pulse_init(&fake->disk_answers);
	return fake;
}

static struct fake_word **word_place(const struct os_fake *fake, const char *text)
{
	uint32_t hash = 2166136261;

	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619;
	return (struct fake_word **)&fake->words[hash % FAKE_WORDS];
}

/* NULL: nobody has used it. */
static struct fake_word *word_find(const struct os_fake *fake, const char *text)
{
	struct fake_word *w = *word_place(fake, text);

	while (w && strcmp(w->text, text) != 0)
		w = w->next;
	return w;
}

static struct fake_word *word_of(const char *text)
{
	return eff_container(text, struct fake_word, text);
}

const char *fake_word(struct os_fake *fake, const char *text)
{
	struct fake_word **place = word_place(fake, text);
	size_t len = strlen(text);
	struct fake_word *w = word_find(fake, text);

	if (w)
		return w->text;
	w = fake_zalloc(sizeof(*w) + len + 1);
	memcpy(w->text, text, len);
	eff_list_init(&w->runs);
	w->next = *place;
	*place = w;
	return w->text;
}

struct eff_list *fake_runs(const char *unit)
{
	return &word_of(unit)->runs;
}

/* ── scripts ── */

static struct fake_program *program_find(struct os_fake *fake, const char *name)
{
	for (struct fake_program *p = fake->programs; p; p = p->next)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

static struct fake_program *program_make(struct os_fake *fake, const char *name)
{
	struct fake_program *p = program_find(fake, name);

	if (!p) {
		p = fake_zalloc(sizeof(*p));
		p->name = strdup(name);
		p->next = fake->programs;
		fake->programs = p;
	}
	free(p->list);
	p->list = NULL;
	p->n = 0;
	p->play = NULL;
	return p;
}

void os_fake_script(struct os_fake *fake, const char *program, const struct script *list, size_t n)
{
	struct fake_program *p = program_make(fake, program);

	p->list = fake_zalloc(n * sizeof(*list));
	memcpy(p->list, list, n * sizeof(*list));
	p->n = n;
}

void os_fake_play(struct os_fake *fake, const char *program, fake_play *play, void *context)
{
	struct fake_program *p = program_make(fake, program);

	p->play = play;
	p->context = context;
}

static unsigned count_next(const char *unit, const char *program)
{
	struct fake_word *w = word_of(unit);
	struct fake_count *c;

	for (c = w->counts; c; c = c->next)
		if (c->program == program)
			return c->n++;
	c = fake_zalloc(sizeof(*c));
	c->program = program;
	c->n = 1;
	c->next = w->counts;
	w->counts = c;
	return 0;
}

struct script fake_script_of(struct os_fake *fake, const char *unit, const char *program)
{
	struct fake_program *p = program_find(fake, program);
	unsigned n = count_next(unit, program);

	if (!p)
		return (struct script){.lives = EFF_FOREVER};
	if (p->play)
		return p->play(p->context, unit, n);
	return p->list[n < p->n ? n : p->n - 1];
}

/* ── the record ── */

static struct fake_event *record_add(struct os_child *p, enum fake_what what)
{
	struct os_fake *fake = p->fake;
	struct fake_event *e;

	if (fake->n_events == fake->room) {
		fake->room = fake->room ? fake->room * 2 : 64;
		fake->events = realloc(fake->events, fake->room * sizeof(*fake->events));
		if (!fake->events)
			abort();
	}
	e = &fake->events[fake->n_events++];
	*e = (struct fake_event){.at = eff_now(),
		.unit = p->unit,
		.program = p->program,
		.what = what,
		.helper = p->script.helper,
		.abandoned = p->abandoned,
		.pid = p->pid,
		.end = p->end};
	return e;
}

static void record_tell(struct os_fake *fake, const struct fake_event *e)
{
	if (fake->watch)
		fake->watch(fake->watch_context, e);
}

void fake_record(struct os_child *p, enum fake_what what)
{
	record_tell(p->fake, record_add(p, what));
}

void fake_record_signal(struct os_child *p, int sig, enum os_whom whom)
{
	struct fake_event *e = record_add(p, FAKE_SIGNAL);

	e->sig = sig;
	e->whom = whom;
	record_tell(p->fake, e);
}

void os_fake_watch(struct os_fake *fake, fake_watch *watch, void *context)
{
	fake->watch = watch;
	fake->watch_context = context;
}

void os_fake_on_spawn(struct os_fake *fake, fake_spawned *spawned, void *context)
{
	fake->spawned = spawned;
	fake->spawned_context = context;
}

const struct fake_event *os_fake_events(const struct os_fake *fake, size_t *ret_n)
{
	*ret_n = fake->n_events;
	return fake->events;
}

static struct os_child *child_at(const struct eff_list *node)
{
	return eff_container(node, struct os_child, link);
}

static struct os_child *run_at(const struct eff_list *node)
{
	return eff_container(node, struct os_child, run);
}

size_t os_fake_live(const struct os_fake *fake, const char *unit)
{
	const struct fake_word *w = unit ? word_find(fake, unit) : NULL;
	const struct eff_list *l;
	size_t n = 0;

	for (l = fake->children.next; !unit && l != &fake->children; l = l->next)
		n += !child_at(l)->gone;
	for (l = w ? w->runs.next : NULL; w && l != &w->runs; l = l->next)
		n += !run_at(l)->gone && !run_at(l)->script.helper && !run_at(l)->abandoned;
	return n;
}

/* The present run of a unit: its youngest. */
static struct os_child *run_of(const struct os_fake *fake, const char *unit)
{
	const struct fake_word *w = word_find(fake, unit);

	for (const struct eff_list *l = w ? w->runs.prev : NULL; w && l != &w->runs; l = l->prev)
		if (!run_at(l)->script.helper)
			return run_at(l);
	return NULL;
}

const char *os_fake_limits(struct os_fake *fake, const char *unit)
{
	const struct os_child *p = run_of(fake, unit);
	const struct terms_cgroup *c = &p->limits.cgroup;
	const double values[] = {(double)c->memory_max, (double)c->memory_high, c->cpu_max,
		c->cpu_weight, c->pids_max, c->io_weight};
	static const char *const names[] = {
#define CGROUP_LIMIT(symbol, name, type, least, most, controller, file, none, help) #name,
#include "base/cgroup.def"
#undef CGROUP_LIMIT
	};

	text_done(&fake->limits);
	fake->limits = (struct text){0};
	text_add(&fake->limits, "");
	for (int i = 0; i < TERMS_N_CGROUP; i++)
		if (p->limits.given >> (TERMS_CGROUP_SHIFT + i) & 1)
			text_printf(&fake->limits, "%s%s %.12g", fake->limits.len ? ", " : "",
				names[i], values[i]);
	return p->has_cgroup ? fake->limits.bytes : NULL;
}

bool os_fake_runs(const struct os_fake *fake, const char *unit)
{
	const struct os_child *p = run_of(fake, unit);

	return p && p->executed && !fake_main_ended(p);
}

size_t os_fake_handles(const struct os_fake *fake)
{
	size_t n = 0;

	for (const struct eff_list *l = fake->children.next; l != &fake->children; l = l->next)
		n += child_at(l)->held;
	return n;
}

uint64_t os_fake_calls(const struct os_fake *fake)
{
	return fake->n_calls;
}

void os_fake_clear_fails(struct os_fake *fake, int error)
{
	fake->clear_error = -error;
}

unsigned os_fake_views(const struct os_fake *fake)
{
	return fake->n_views;
}

unsigned os_fake_groups_kept(const struct os_fake *fake)
{
	return fake->n_groups_kept;
}

unsigned os_fake_view(const struct os_spawn *spawn)
{
	return spawn->view && *spawn->view ? (*spawn->view)->number : 0;
}

const char *os_fake_breach(const struct os_fake *fake)
{
	return fake->breach[0] ? fake->breach : NULL;
}

/* ── what happens to a run from outside ── */

void os_fake_kill(struct os_fake *fake, const char *unit, int sig)
{
	struct os_child *p = run_of(fake, unit);

	if (!p || fake_signal(p, sig, OS_MAIN) < 0)
		fake_breach(fake, "the test kills %s, which does not run", unit);
}

void os_fake_print(struct os_fake *fake, const char *unit, enum os_stream stream, const char *text)
{
	struct os_child *p = run_of(fake, unit);

	if (p && !p->gone)
		fake_emit(p, stream, text);
	else
		fake_breach(fake, "the test lets %s print, which does not run", unit);
}

void os_fake_notify(struct os_fake *fake, const char *unit, const char *text)
{
	struct os_child *p = run_of(fake, unit);

	if (p && !p->gone)
		fake_say(p, text);
	else
		fake_breach(fake, "the test lets %s notify, which does not run", unit);
}

void os_fake_sweep(struct os_fake *fake)
{
	for (struct eff_list *l = fake->children.next; l != &fake->children; l = l->next) {
		struct os_child *p = child_at(l);

		if (p->abandoned)
			(void)fake_signal(p, SIGKILL, OS_GROUP);
	}
}

/* ── the end ── */

static void words_free(struct fake_word *words)
{
	for (struct fake_word *w; (w = words);) {
		words = w->next;
		for (struct fake_count *c; (c = w->counts);) {
			w->counts = c->next;
			free(c);
		}
		free(w);
	}
}

void os_fake_free(struct os_fake *fake)
{
	while (!eff_list_empty(&fake->children))
		fake_process_free(child_at(fake->children.next));
	fake_doors_free(fake);
	fake_sockets_free(fake);
	text_done(&fake->limits);
	for (struct fake_program *p; (p = fake->programs);) {
		fake->programs = p->next;
		free(p->name);
		free(p->list);
		free(p);
	}
	for (size_t i = 0; i < FAKE_WORDS; i++)
		words_free(fake->words[i]);
	free(fake->events);
	free(fake);
}

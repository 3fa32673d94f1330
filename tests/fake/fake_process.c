/* SPDX-License-Identifier: MIT */
/* The fake kernel's operations on a child: making one, waiting for it, what it has said and printed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake/fake_parts.h"

static const char *program_of(const struct os_spawn *spawn)
{
	const char *path = spawn->argv[0];
	const char *slash;

	/* What a shell runs is named by its first word. */
	if (!strcmp(path, "/bin/sh") && spawn->argv[1] && spawn->argv[2])
		path = spawn->argv[2];
	slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void check_alone(struct os_fake *fake, const char *unit)
{
	for (struct eff_list *l = fake_runs(unit)->next; l != fake_runs(unit); l = l->next) {
		const struct os_child *p = eff_container(l, struct os_child, run);

		if (!p->script.helper && !p->gone && !p->abandoned)
			fake_breach(fake, "a second run of %s begins while pid %d is there",
				unit, (int)p->pid);
	}
}

static struct os_child *process_new(
	struct os_fake *fake, const struct os_spawn *spawn, const struct script *script)
{
	struct os_child *p = fake_zalloc(sizeof(*p));

	p->fake = fake;
	p->unit = fake_word(fake, spawn->unit);
	p->program = fake_word(fake, program_of(spawn));
	p->script = *script;
	p->pid = ++fake->last_pid;
	p->has_socket = spawn->notify;
	p->has_ready_fd = spawn->ready_fd > 2;
	p->held = true;
	p->has_cgroup = (spawn->all != OS_ALL_KIN || terms_limit_a_cgroup(spawn->terms)) &&
		!fake->cgroup_error;
	p->all_by_cgroup = p->has_cgroup && spawn->all != OS_ALL_KIN;
	if (spawn->terms)
		p->limits = *spawn->terms;
	p->to[OS_STDOUT] = spawn->out;
	p->to[OS_STDERR] = spawn->err;
	p->exec_at = eff_ns_add(eff_now(), script->exec_takes);
	p->ready_at = p->end_at = p->death_at = p->left_at = EFF_FOREVER;
	eff_pulse_init(&p->poke);
	eff_pulse_init(&p->changed);
	fake_sockets_given(p, spawn->sockets);
	eff_list_append(&fake->children, &p->link);
	eff_list_append(fake_runs(p->unit), &p->run);
	return p;
}

/* Stages at which there is no process yet: they are the seam's own work. */
static bool fails_before(const struct script *s)
{
	return s->exec_error && s->exec_stage &&
		(!strcmp(s->exec_stage, "fork") || !strcmp(s->exec_stage, "user"));
}

static void view_need(struct os_fake *fake, const struct os_spawn *spawn)
{
	const char *const *runtime = spawn->directories[OS_RUNTIME];

	if (!spawn->view || *spawn->view ||
		!(spawn->private_tmp || spawn->read_only || (runtime && *runtime)))
		return;
	*spawn->view = fake_zalloc(sizeof(**spawn->view));
	(*spawn->view)->fake = fake;
	(*spawn->view)->number = ++fake->last_view;
	fake->n_views++;
}

int fake_close_view(struct os_view *view, char *ret_what, size_t size)
{
	int r = view ? view->fake->clear_error : 0;

	if (view)
		view->fake->n_views--;
	free(view);
	(void)snprintf(ret_what, size, "/run/it");
	return r;
}

struct os_kept {
	struct os_fake *fake;
};

/* As the real one, it may do without a group where none can be had. */
static void group_keep(struct os_fake *fake, const struct os_spawn *spawn)
{
	bool wanted = spawn->all != OS_ALL_KIN || terms_limit_a_cgroup(spawn->terms);

	if (!spawn->kept || *spawn->kept || !wanted || fake->cgroup_error)
		return;
	*spawn->kept = fake_zalloc(sizeof(**spawn->kept));
	(*spawn->kept)->fake = fake;
	fake->n_groups_kept++;
}

void fake_close_kept(struct os_kept *kept)
{
	if (kept)
		kept->fake->n_groups_kept--;
	free(kept);
}

static bool cgroup_fails(
	const struct os_fake *fake, const struct os_spawn *spawn, struct os_fault *ret_fault)
{
	bool is_limited = terms_limit_a_cgroup(spawn->terms);

	if (fake->cgroup_error && (is_limited || spawn->all == OS_ALL_CGROUP))
		*ret_fault = (struct os_fault){"cgroup", fake->cgroup_error, "there are none here"};
	else if (is_limited && fake->limit_error)
		*ret_fault = (struct os_fault){"cgroup", fake->limit_error, "a limit"};
	else
		return false;
	return true;
}

int fake_limit(struct os_child *p, const struct terms *terms, struct os_fault *ret_fault)
{
	int error = p->has_cgroup ? p->fake->limit_error : EOPNOTSUPP;

	if (!terms_limit_a_cgroup(terms) && !terms_limit_a_cgroup(&p->limits))
		return 0;
	if (error) {
		*ret_fault = (struct os_fault){"cgroup", error, "a limit"};
		return -ECHILD;
	}
	p->limits = terms ? *terms : (struct terms){0};
	return 0;
}

void os_fake_limits_fail(struct os_fake *fake, int error)
{
	fake->limit_error = error;
}

int fake_spawn(struct os *os, const struct os_spawn *spawn, struct os_child **ret_child,
	struct os_fault *ret_fault)
{
	struct os_fake *fake = fake_of(os);
	const char *unit = fake_word(fake, spawn->unit);
	const char *program = fake_word(fake, program_of(spawn));
	struct script script = fake_script_of(fake, unit, program);
	struct os_child *p;

	fake->n_calls++;
	*ret_child = NULL;
	view_need(fake, spawn);
	group_keep(fake, spawn);
	if (fake->spawned)
		fake->spawned(fake->spawned_context, spawn);
	if (fails_before(&script)) {
		*ret_fault = (struct os_fault){
			.stage = script.exec_stage, .error = script.exec_error, .what = program};
		return -ECHILD;
	}
	if (cgroup_fails(fake, spawn, ret_fault))
		return -ECHILD;
	if (!script.helper)
		check_alone(fake, unit);
	p = process_new(fake, spawn, &script);
	fake_record(p, FAKE_SPAWN);
	if (eff_fork_daemon(EFF_NAMED("process", fake_process_play, p), &p->player) < 0)
		abort();
	*ret_child = p;
	while (!p->executed && !p->ended && !p->faulty) {
		int r = eff_pulse_await(&p->changed);

		if (r < 0)
			return r;
	}
	if (p->executed)
		return 0;
	*ret_fault = p->fault;
	/* Who asks has it no longer than what he asked with. */
	ret_fault->what = program_of(spawn);
	if (!script.interpreter)
		return -ECHILD;
	(void)snprintf(fake->fault_what, sizeof(fake->fault_what), "%s: interpreter %s",
		program_of(spawn), script.interpreter);
	ret_fault->what = fake->fault_what;
	return -ECHILD;
}

void os_fake_cgroups(struct os_fake *fake, int error)
{
	fake->cgroup_error = error;
}

size_t os_fake_escaped(const struct os_fake *fake)
{
	return fake->n_escaped;
}

pid_t fake_pid(const struct os_child *p)
{
	return p->main ? p->main : p->pid;
}

static void check_held(const struct os_child *p, const char *verb)
{
	p->fake->n_calls++;
	if (!p->held)
		fake_breach(p->fake, "%s of %s, pid %d, after it was given back", verb, p->unit,
			(int)p->pid);
}

void fake_keep_no_more(struct os_child *p, struct os_kept **kept)
{
	check_held(p, "keep_no_more");
	fake_close_kept(*kept);
	*kept = NULL;
}

int fake_await_ready(struct os_child *p)
{
	check_held(p, "await_ready");
	if (!p->has_ready_fd)
		return -EBADF;
	while (!p->ready_said) {
		int r = p->ended || p->ready_shut ? -EPIPE : eff_pulse_await(&p->changed);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The one that it leaves is the only other process that there is of it. */
int fake_follow(struct os_child *p, pid_t pid)
{
	check_held(p, "follow");
	if (pid == fake_pid(p))
		return 0;
	if (pid != p->pid + FAKE_LEFT || !p->left)
		return -ESRCH;
	p->main = pid;
	eff_pulse_send(&p->changed);
	return 0;
}

bool fake_main_ended(const struct os_child *p)
{
	return p->main ? !p->left : p->ended;
}

int fake_await_end(struct os_child *p, struct os_end *ret_end)
{
	check_held(p, "await_end");
	while (!fake_main_ended(p)) {
		int r = eff_pulse_await(&p->changed);

		if (r < 0)
			return r;
	}
	*ret_end = p->main ? p->left_end : p->end;
	return 0;
}

int fake_await_gone(struct os_child *p)
{
	check_held(p, "await_gone");
	while (!p->gone) {
		int r = eff_pulse_await(&p->changed);

		if (r < 0)
			return r;
	}
	return 0;
}

size_t fake_left(struct os_child *p, struct os_left *ret_left, size_t n)
{
	struct os_left found[2];
	size_t count = 0;

	check_held(p, "left");
	if (!p->gone && !p->ended)
		found[count++] = (struct os_left){.pid = p->pid, .waits_in = "fake_wait"};
	if (!p->gone && p->left && !fake_left_is_nobodys(p))
		found[count++] = (struct os_left){.pid = p->pid + FAKE_LEFT};
	for (size_t i = 0; i < count && i < n; i++) {
		ret_left[i] = found[i];
		(void)strncpy(ret_left[i].command, p->program, sizeof(ret_left[i].command) - 1);
	}
	return count;
}

ssize_t fake_read(struct os_child *p, enum os_stream stream, void *buf, size_t size)
{
	const struct text *output = &p->output[stream];
	size_t n;

	check_held(p, "read");
	p->fake->n_reads++;
	if (p->taken[stream] == output->len)
		return p->gone ? 0 : -EAGAIN;
	n = output->len - p->taken[stream];
	if (n > size)
		n = size;
	memcpy(buf, output->bytes + p->taken[stream], n);
	p->taken[stream] += n;
	return (ssize_t)n;
}

/* Of its end nothing tells but a read, as of a pipe that is kept for the next run. */
static bool has_output(const struct os_child *p, int stream)
{
	return p->taken[stream] < p->output[stream].len;
}

bool fake_watch_output(struct os_child *p, enum os_stream stream, struct eff_watch *watch)
{
	check_held(p, "watch");
	p->watches[stream] = NULL;
	if (watch && has_output(p, stream))
		return true;
	p->watches[stream] = watch;
	return false;
}

void fake_tell(struct os_child *p)
{
	for (int i = 0; i < 2; i++) {
		struct eff_watch *watch = p->watches[i];

		if (!watch || !has_output(p, i))
			continue;
		p->watches[i] = NULL;
		watch->fn(watch);
	}
}

ssize_t fake_notified(struct os_child *p, void *buf, size_t size, pid_t *ret_sender)
{
	struct fake_message *m;
	size_t len;

	check_held(p, "notified");
	if (!p->has_socket)
		return -EBADF;
	while (!p->said) {
		int r = eff_pulse_await(&p->changed);

		if (r < 0)
			return r;
	}
	m = p->said;
	p->said = m->next;
	len = strlen(m->text);
	if (len > size)
		len = size;
	memcpy(buf, m->text, len);
	if (ret_sender)
		*ret_sender = p->pid;
	free(m);
	return (ssize_t)len;
}

bool fake_usage(struct os_child *p, struct os_usage *ret_usage)
{
	p->fake->n_usages++;
	if (p->gone)
		return false;
	*ret_usage = p->fake->used;
	return true;
}

void fake_free(struct os_child *p)
{
	check_held(p, "free");
	p->held = false;
	p->abandoned = !p->gone;
	if (p->gone)
		fake_process_free(p);
}

void fake_process_free(struct os_child *p)
{
	struct fake_message *m;

	eff_list_remove(&p->link);
	eff_list_remove(&p->run);
	while ((m = p->said)) {
		p->said = m->next;
		free(m);
	}
	text_done(&p->output[OS_STDOUT]);
	text_done(&p->output[OS_STDERR]);
	eff_fiber_unref(p->player);
	free(p);
}

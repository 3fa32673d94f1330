/* SPDX-License-Identifier: MIT */
/* effd: a tree of units, kept running. This is where all is put together.
 *
 * First what can go wrong without anything having been started: options, the tree, the limits, the socket. Then one
 * runtime, whose root fiber owns the rest: the tree, the control socket, signals, the word to systemd. effd ends when the
 * tree has ended; what is opened is closed in reverse order, and no child is left. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/text.h"
#include "effd/effd.h"

/* A program that was started without them would get the first files that it opens as its output. */
static void standard_fds_ensure(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDWR) < 0)
			_exit(1);
}

/* Does stderr go to systemd's journal? It says so by the file's identity. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char identity[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(identity, sizeof(identity), "%llu:%llu", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	return strcmp(stream, identity) == 0;
}

static void log_level_take(const struct effd *e, const struct plan *plan)
{
	const char *name = e->options.log_level ? e->options.log_level
						: plan_daemon(plan)->log_level;
	int level = name ? log_level_parse(name) : LOG_LEVEL_INFO;

	if (level >= 0)
		log_set_level((enum log_level)level);
}

/* Raise the soft limit of descriptors: the tree may be large. What it was, children get back. */
static void descriptors_raise(struct effd *e)
{
	struct rlimit limit;

	e->nofile_soft = -1;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	e->nofile_soft = (int64_t)limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		log_warn("cannot raise the limit of descriptors: %s", strerror(errno));
}

/* ── what the control socket needs of the program ── */

static int host_load(
	void *context, const struct plan *present, struct plan **ret_plan, struct diags *diags)
{
	const struct effd *e = context;
	int r = tree_load_await(&e->options, present, ret_plan, diags);

	alloc_trim();
	return r;
}

static int host_add(void *context, const struct plan *present, struct plan_addition *addition,
	struct plan **ret_plan, struct diags *diags)
{
	int r = tree_add_await(present, addition, ret_plan, diags);

	(void)context;
	alloc_trim();
	return r;
}

static void host_on_reload(void *context, bool begins)
{
	struct effd *e = context;

	notify_reload(&e->notify, begins);
	if (!begins) {
		log_level_take(e, e->tree->plan);
		signals_take(e);
		/* Who has taken it meanwhile keeps it: this one goes on without. */
		(void)state_take(e, e->tree->plan);
		e->tree->world.state_dir = state_place(e);
		alloc_trim();
	}
}

static void host_shut_down(void *context, const struct asker *by)
{
	effd_shut_down(context, by, "shutdown");
}

/* To run the tree matters more than a socket that nobody has placed: but not beside another effd, nor where something else is in
 * its place, nor without the group that is to have it. */
static bool can_do_without(const struct effd *e, int r)
{
	if (options_need_socket(&e->options, plan_daemon(e->plan)) || e->given.path)
		return false;
	return e->options.command || (r != -EADDRINUSE && r != -EEXIST && r != -ENOENT);
}

static int control_begin(struct effd *e)
{
	struct control_opts opts = {
		.tree = e->tree,
		.path = e->socket,
		.given_fd = e->given.fd,
		.host = {.load = host_load,
			.add = host_add,
			.on_reload = host_on_reload,
			.shut_down = host_shut_down,
			.context = e},
	};
	struct text why = {0};
	int r = control_open(&opts, &e->control, &why);

	if (r < 0 && e->socket && can_do_without(e, r)) {
		log_warn("%s", why.bytes ? why.bytes : strerror(-r));
		text_done(&why);
		free(e->socket);
		opts.path = e->socket = NULL;
		r = control_open(&opts, &e->control, &why);
	}
	if (r < 0) {
		log_error("%s", why.bytes ? why.bytes : strerror(-r));
		e->code = r == -EADDRINUSE ? EXIT_TAKEN : 1;
	}
	text_done(&why);
	return r;
}

/* ── the story ── */

/* To read a tree takes three times the memory that it needs. */
static eff_exit give_memory_back(void *arg)
{
	if (tree_await_settled(arg) == 0)
		alloc_trim();
	return eff_ok(NULL);
}

/* The tree's life, and everything that goes on beside it. */
static void effd_live(struct effd *e)
{
	struct eff_fiber *tree = NULL;
	struct eff_scope beside;
	eff_exit end = eff_fail(1);
	int r;

	eff_scope_open(&beside);
	r = eff_fork(EFF(signals_run, e), NULL);
	if (r == 0)
		r = eff_fork(EFF_NAMED("tree", tree_run, e->tree), &tree);
	if (r == 0)
		r = eff_fork(EFF_NAMED("control", control_run, e->control), NULL);
	if (r == 0)
		r = eff_fork(EFF(shutdown_watch, e), NULL);
	if (r == 0)
		r = eff_fork(EFF(give_memory_back, e->tree), NULL);
	if (r == 0)
		r = eff_fork(EFF_NAMED("watch", watch_run, e), NULL);
	if (r == 0 && e->notify.fd >= 0)
		r = eff_fork(EFF(notify_run, &e->notify), NULL);
	if (r == 0 && e->notify.fd >= 0)
		r = eff_fork(EFF(notify_deliver, &e->notify), NULL);
	if (r == 0 && e->notify.watchdog_ns > 0)
		r = eff_fork(EFF(notify_watchdog, &e->notify), NULL);
	if (r == 0) {
		say_where(e);
		(void)eff_await(tree, &end);
		/* Whoever waited for the last change still gets its answer. */
		(void)eff_yield();
		(void)eff_yield();
		say_who_is_left(e);
		say_how_it_ended(e, end);
		e->code = tree_exit_code(e->tree, end);
	} else {
		log_error("cannot start: %s", strerror(-r));
		e->code = 1;
	}
	eff_exit_drop(end);
	eff_fiber_unref(tree);
	(void)eff_scope_close(&beside);
}

/* Not before it is sure that this is to run: it clears away. Nobody is told that there are none but who asks for one. */
static void control_groups_begin(struct effd *e)
{
	int r = os_linux_hold(e->os);

	if (r < 0)
		log_debug("without control groups: %s", strerror(-r));
}

static int effd_begin(struct effd *e)
{
	struct os_linux_opts opts = {
		.runtime_dir = e->runtime_dir,
		.subreaper = plan_daemon(e->plan)->subreaper && getpid() != 1,
		.nofile_soft = e->nofile_soft,
	};
	int r = signals_init(e);

	for (int i = 0; i < OS_N_PLACES; i++)
		opts.places[i] = e->places[i];
	if (r == 0)
		r = os_linux_new(&opts, &e->os);
	if (r == 0)
		r = tree_new(e->os, e->plan, e->log_dir, &e->tree);
	if (r < 0) {
		log_error("cannot start: %s", strerror(-r));
		e->code = 1;
		return r;
	}
	e->tree->world.fiber_entry = module_entry;
	e->notify.tree = e->tree;
	r = control_begin(e);
	if (r == 0 && state_take(e, e->plan) < 0) {
		e->code = EXIT_TAKEN;
		return -EADDRINUSE;
	}
	e->tree->world.state_dir = state_place(e);
	if (r == 0)
		control_groups_begin(e);
	return r;
}

static eff_exit effd_run(void *arg)
{
	struct effd *e = arg;

	eff_event_init(&e->cut_short);
	e->signals.fd = -1;
	if (effd_begin(e) == 0)
		effd_live(e);
	control_close(e->control);
	tree_free(e->tree);
	os_linux_free(e->os);
	state_done(e);
	signals_done(e);
	return eff_ok_number(e->code);
}

/* What no fiber needs to do what is its own, whatever the machine does. */
#define STALL EFF_S(1)

static void on_unhandled(void *context, const char *fiber_name, eff_exit exit)
{
	char words[256];

	(void)context;
	log_error("the fiber %s has ended: %s", fiber_name,
		eff_exit_text(exit, words, sizeof(words)));
}

/* In the watchdog's thread, while all others wait. */
static void on_stall(void *context, const char *fiber_name, uint64_t fiber_id, eff_ns held_ns)
{
	(void)context;
	(void)fiber_id;
	log_error("the fiber %s does not let go, for %lld ms so far: all units wait for it",
		fiber_name, (long long)(held_ns / EFF_MS(1)));
}

static int runtime_run(struct effd *e)
{
	struct eff_rt_opts opts = {.stall_ns = STALL,
		.hooks = {.on_unhandled = on_unhandled, .on_stall = on_stall}};
	struct eff_rt *rt;
	int r = eff_rt_new(&opts, &rt);

	/* Rather without its thread than not at all. */
	if (r < 0) {
		opts.stall_ns = 0;
		r = eff_rt_new(&opts, &rt);
	}
	if (r < 0) {
		log_error("cannot start: %s", strerror(-r));
		return 1;
	}
	eff_exit_drop(eff_rt_run(rt, EFF(effd_run, e)));
	(void)eff_rt_shutdown(rt, EFF_S(5));
	eff_rt_free(rt);
	return e->code;
}

/* ── before it ── */

/* Read the tree and say all that is wrong with it. Returns 0 or the code to end with. */
static int first_load(struct effd *e)
{
	struct diags *diags = diags_new();
	int r = diags ? tree_load(&e->options, &e->plan, diags) : -ENOMEM;

	/* The journal takes lines with levels, people the source with a mark under it. */
	if (diags && e->to_journal && !e->options.check)
		control_log_diags(diags);
	else if (diags)
		diags_print(diags, stderr);
	if (r < 0 && (!diags || diags_errors(diags) == 0))
		log_error("cannot load the tree: %s", strerror(-r));
	else if (r < 0 && !e->options.check)
		log_error("the tree has %u error%s; nothing was started", diags_errors(diags),
			diags_errors(diags) == 1 ? "" : "s");
	if (r < 0 && e->options.by_default && access(e->options.tree, F_OK) < 0)
		log_error("that is the tree by default: give one with -c FILE");
	diags_free(diags);
	return r < 0 ? EXIT_BAD_TREE : 0;
}

static int places_find(struct effd *e)
{
	e->socket = e->given.path ? strdup(e->given.path)
				  : options_socket(&e->options, plan_daemon(e->plan), stderr);
	if (!e->socket && options_need_socket(&e->options, plan_daemon(e->plan)))
		return EXIT_USAGE;
	e->log_dir = options_log_dir(&e->options, plan_daemon(e->plan), stderr);
	if (!e->log_dir)
		return EXIT_USAGE;
	e->state_dir = options_state_dir(plan_daemon(e->plan));
	options_places(e->places);
	/* Whoever has the socket has this folder, and what a killed effd has left in it. */
	if (e->socket && asprintf(&e->runtime_dir, "%s.notify", e->socket) < 0)
		e->runtime_dir = NULL;
	if (e->socket && !e->runtime_dir) {
		log_error("out of memory");
		return 1;
	}
	return 0;
}

static int effd_main(struct effd *e)
{
	int code = first_load(e);

	if (code || e->options.check)
		return code;
	log_level_take(e, e->plan);
	code = places_find(e);
	if (code)
		return code;
	descriptors_raise(e);
	(void)umask(022);
	return runtime_run(e);
}

int main(int argc, char **argv)
{
	static struct effd e;
	int code, r;

	signals_hold(&e);
	standard_fds_ensure();
	/* A client or a log that goes away is an error of a write. Children get the default back. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* Who starts effd may have it ignored: then the kernel collects what ends, and how it did is lost. */
	(void)signal(SIGCHLD, SIG_DFL);
	/* A log that has become as large as effd's files may be is an error like a full disk. */
	(void)signal(SIGXFSZ, SIG_IGN);
	r = options_parse(argc, argv, &e.options, stdout, stderr);
	if (r != 0)
		return r == -EINVAL ? EXIT_USAGE : r < 0;
	e.to_journal = stderr_is_journal();
	log_set_journal(e.to_journal);
	r = notify_init(&e.notify);
	if (r < 0)
		log_error("cannot tell the service manager anything: %s", strerror(-r));
	/* A command alone may be who they are for, and takes none: that is between it and who starts it. */
	else if (!e.options.command && !e.options.check)
		r = given_take(&e.given);
	code = r < 0 ? 1 : effd_main(&e);
	notify_done(&e.notify);
	plan_unref(e.plan);
	free(e.given.path);
	free(e.socket);
	free(e.log_dir);
	free(e.state_dir);
	free(e.runtime_dir);
	for (int i = 0; i < OS_N_PLACES; i++)
		free(e.places[i]);
	options_done(&e.options);
	return code;
}

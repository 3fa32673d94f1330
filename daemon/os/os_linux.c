/* SPDX-License-Identifier: MIT */
/* The real kernel behind the seam: what it holds for all children, and those calls that are a line or two. The others
 * have files of their own; internal.h is the map. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <eff/io.h>

#include "base/alloc.h"
#include "os/internal.h"

static const struct os_ops linux_ops = {
	.spawn = linux_spawn,
	.pid = linux_pid,
	.await_end = linux_await_end,
	.signal = linux_signal,
	.signal_and_wake = linux_signal_and_wake,
	.await_gone = linux_await_gone,
	.left = linux_left,
	.read = linux_read,
	.watch = linux_watch,
	.notified = linux_notified,
	.await_ready = linux_await_ready,
	.follow = linux_follow,
	.limit = linux_limit,
	.usage = linux_usage,
	.free = linux_child_free,
	.close_view = linux_close_view,
	.close_kept = linux_close_kept,
	.keep_no_more = linux_keep_no_more,
	.listen = linux_listen,
	.watch_socket = linux_watch_socket,
	.close_socket = linux_close_socket,
	.connect_tcp = linux_connect_tcp,
	.connect_unix = linux_connect_unix,
	.http_get = linux_http_get,
	.file_there = linux_file_there,
	.pid_file = linux_pid_file,
	.read_state = linux_read_state,
	.write_state = linux_write_state,
	.with_logs = linux_with_logs,
	.open_log = linux_open_log,
	.append = linux_append,
	.cut_log = linux_cut_log,
	.look_at_log = linux_look_at_log,
	.rotate_log = linux_rotate_log,
	.compress_log = linux_compress_log,
	.close_log = linux_close_log,
	.send_record = linux_send_record,
	.write_stdout = linux_write_stdout,
};

/* What was ignored when effd was started, and what main ignores; nothing else does later. */
static uint64_t signals_ignored(void)
{
	struct sigaction action;
	uint64_t set = 0;

	for (int sig = 1; sig < 65; sig++)
		if (sigaction(sig, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			set |= UINT64_C(1) << (sig - 1);
	return set;
}

/* Does effd have capabilities that what it executes would get? */
static bool ambient_is_any(void)
{
	for (unsigned long n = 0; n < TERMS_N_CAPABILITIES; n++) {
		int r = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, n, 0, 0);

		if (r != 0)
			return r > 0; /* the kernel knows no further ones */
	}
	return false;
}

static int take_options(struct os_linux *os, const struct os_linux_opts *opts)
{
	os->syslog_path = "/dev/log";
	os->journal_path = "/run/systemd/journal/socket";
	os->runtime_dir = opts->runtime_dir ? strdup(opts->runtime_dir) : NULL;
	if (opts->runtime_dir && !os->runtime_dir)
		return -ENOMEM;
	for (int i = 0; i < OS_N_PLACES; i++) {
		os->places[i] = opts->places[i] ? strdup(opts->places[i]) : NULL;
		if (opts->places[i] && !os->places[i])
			return -ENOMEM;
	}
	os->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	os->asking_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	os->births_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	if (os->null_fd < 0 || os->asking_fd < 0 || getrlimit(RLIMIT_NOFILE, &os->nofile) < 0)
		return -errno;
	os->set_nofile = opts->nofile_soft >= 0 && os->nofile.rlim_cur != (rlim_t)opts->nofile_soft;
	if (os->set_nofile)
		os->nofile.rlim_cur = (rlim_t)opts->nofile_soft;
	if (os->nofile.rlim_cur > os->nofile.rlim_max)
		os->nofile.rlim_cur = os->nofile.rlim_max;
	if (opts->subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		return -errno;
	os->subreaper = opts->subreaper;
	os->ignored = signals_ignored();
	os->uid = geteuid();
	os->has_ambient = ambient_is_any();
	return 0;
}

int os_linux_new(const struct os_linux_opts *opts, struct os **ret_os)
{
	struct os_linux *os = alloc_new(sizeof(*os));
	int r;

	if (!os)
		return -ENOMEM;
	os->os.ops = &linux_ops;
	os->null_fd = os->asking_fd = os->births_fd = os->stdout_fd = os->record_fd = -1;
	os->spare_pipe[0] = os->spare_pipe[1] = -1;
	os_gate_init(&os->gate);
	os_cgroups_init(&os->cgroups);
	eff_list_init(&os->children);
	eff_list_init(&os->views);
	os_logs_init(&os->logs);
	os_lanes_init(&os->lanes);
	eff_pulse_init(&os->orphans);
	r = take_options(os, opts);
	if (r < 0)
		os_linux_free(&os->os);
	else
		*ret_os = &os->os;
	return r;
}

void os_linux_free(struct os *os)
{
	struct os_linux *own;

	if (!os)
		return;
	own = linux_of(os);
	os_gate_done(&own->gate);
	os_stdout_done(own);
	os_records_done(own);
	os_notify_remove_dir(own);
	os_scan_done(&own->scan);
	os_cgroups_done(&own->cgroups);
	if (own->subreaper)
		(void)prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	if (own->null_fd >= 0)
		(void)close(own->null_fd);
	for (int i = 0; i < 2; i++)
		eff_fd_close(own->spare_pipe[i]);
	if (own->asking_fd >= 0)
		(void)close(own->asking_fd);
	if (own->births_fd >= 0)
		(void)close(own->births_fd);
	free(own->runtime_dir);
	for (int i = 0; i < OS_N_PLACES; i++)
		free(own->places[i]);
	/* A thread that waits for a disk is still to look at it. */
	if (own->lanes.n_taken == 0)
		free(own);
}

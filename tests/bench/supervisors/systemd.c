/* SPDX-License-Identifier: MIT */
/* The machine's own systemd, as PID 1 of namespaces of its own, in a control group of its own. Of the machine it can write to the
 * box alone. It needs root. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

static bool here(void)
{
	return geteuid() == 0 && access("/lib/systemd/systemd", X_OK) == 0 &&
		on_path("unshare") && on_path("nsenter");
}

static void configure_service(const struct box *box, unsigned number)
{
	struct words service = {.n = 0};
	char name[64], path[2 * PATH_BYTES], target[64];

	box_service(box, number, &service);
	(void)snprintf(name, sizeof(name), "units/s%u.service", number);
	box_write(box, name, 0644,
		"[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nExecStart=");
	for (unsigned i = 0; i < service.n; i++)
		box_write(box, name, 0644, "%s ", service.list[i]);
	box_write(box, name, 0644,
		"\nRestart=always\nRestartSec=0\nStandardOutput=null\nStandardError=null\n");
	words_free(&service);
	(void)snprintf(target, sizeof(target), "../s%u.service", number);
	(void)snprintf(path, sizeof(path), "%s/units/bench.target.wants/s%u.service", box->dir,
		number);
	(void)symlink(target, path);
}

/* The outer script makes the control group, and takes away what systemd has made below it; the inner one becomes systemd. */
static void configure(const struct box *box)
{
	char path[2 * PATH_BYTES];

	box_write(box, "units/bench.target", 0644, "[Unit]\nDefaultDependencies=no\n");
	(void)snprintf(path, sizeof(path), "%s/units/bench.target.wants", box->dir);
	(void)mkdir(path, 0755);
	for (unsigned i = 0; i < box->n; i++)
		configure_service(box, i);
	box_write(box, "groups/.keep", 0644, "%s", "");
	box_write(box, "outer", 0755,
		"#!/bin/sh\nset -e\ncd %s\nmount --make-rprivate /\n"
		"mount -t cgroup2 cgroup2 groups\n"
		"mine=groups$(sed -n s/^0:://p /proc/self/cgroup)\ngroup=$mine/effd-bench.$$\n"
		"mkdir $group\necho $$ >$group/cgroup.procs\n"
		"unshare --fork --kill-child --pid --mount --mount-proc --cgroup %s/inner || true\n"
		"echo $$ >$mine/cgroup.procs\nfind $group -depth -type d -exec rmdir {} +\n",
		box->dir, box->dir);
	box_write(box, "inner", 0755,
		"#!/bin/sh\nset -e\ncd /\n"
		"mount --bind %s %s\nmount -o remount,bind,ro /\n"
		"mount --bind /proc/sys /proc/sys\nmount -o remount,bind,ro /proc/sys\n"
		"for dir in /run /etc/systemd/system /var/log; do mount -t tmpfs tmpfs $dir; done\n"
		"umount -l /sys/fs/cgroup 2>/dev/null || true\n"
		"mount -t cgroup2 cgroup2 /sys/fs/cgroup\ncp -a %s/units/. /etc/systemd/system\n"
		"mkdir /run/systemd\nexport container=bench\n"
		"exec /lib/systemd/systemd --system --unit=bench.target --log-target=null "
		"--show-status=no --default-standard-output=null\n",
		box->dir, box->dir, box->dir);
}

static void command(const struct box *box, struct words *ret)
{
	words_add(ret, "unshare");
	words_add(ret, "--mount");
	words_add(ret, "%s/outer", box->dir);
}

static pid_t first_process(const struct box *box)
{
	pid_t pids[4];

	return box_processes(box, pids, 4) > 0 ? pids[0] : -1;
}

/* To power off at once, which is the quickest that it can. */
static void stop(const struct box *box)
{
	pid_t pid = first_process(box);

	if (pid > 0)
		(void)kill(pid, SIGRTMIN + 14);
}

static bool query(const struct box *box, enum ask ask, bool native, struct query *ret)
{
	*ret = (struct query){.how = BY_COMMAND};
	if (native)
		return false; /* D-Bus */
	words_add(&ret->words, "nsenter");
	words_add(&ret->words, "-t");
	words_add(&ret->words, "%d", (int)first_process(box));
	words_add(&ret->words, "-m");
	words_add(&ret->words, "-p");
	words_add(&ret->words, "systemctl");
	if (ask == ASK_ONE) {
		words_add(&ret->words, "show");
		words_add(&ret->words, "s%u.service", box->n / 2);
		return true;
	}
	words_add(&ret->words, "list-units");
	words_add(&ret->words, "--type=service");
	words_add(&ret->words, "--all");
	words_add(&ret->words, "--no-pager");
	return true;
}

const struct peer peer_systemd = {
	.name = "systemd",
	.most = 5000,
	.rounds = 2,
	.patience_s = 60,
	.end_ms = 10000,
	.is_apart = true,
	.only = "/systemd",
	.is_here = here,
	.configure = configure,
	.command = command,
	.stop = stop,
	.query = query,
};

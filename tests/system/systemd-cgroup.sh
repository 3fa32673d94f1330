#!/bin/bash
# SPDX-License-Identifier: MIT
# Under systemd the group of effd.service is delegated, and each service has a group below it: what has escaped dies with its
# service, while effd runs, and with effd, when that is killed. A user's own effd may do the same in the user's own systemd.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
compile escape
boot
drop_in effd.service <<<$'[Service]\nRestartSec=0'
tree <<TREE
version: 1
units:
  web: {command: [/test/bin/escape, /test/web, deaf], stop: {timeout: 300ms}}
  other: {command: [/test/bin/escape, /test/other], user: nobody, stop: {mode: cgroup}}
TREE
touch web other
chmod 666 other
groups() { # below effd's own
	inside sh -c "cd /sys/fs/cgroup/system.slice/effd.service && find . -mindepth 1 -type d | sort" | paste -sd ' '
}
group_of() { inside sed -n 's/^0:://p' "/proc/$1/cgroup"; }
gone() { ! inside grep -qs '^State:.[^ZX]' "/proc/$1/status" || fail "$2 is there still"; }

expect_exit 0 inside systemctl start effd
for name in web other; do
	await_line "$name" '^[0-9]+$' >/dev/null
	stray=$(<"$name")
	same "where $name is" "$(group_of "$(unit_pid "$name")") $(group_of "$stray")" \
		"/system.slice/effd.service/effd/unit:$name /system.slice/effd.service/effd/unit:$name"
done
same "the groups" "$(groups)" "./effd ./effd/unit:other ./effd/unit:web"
matches "what systemd shows" "$(inside systemctl status --no-pager effd)" 'unit:web'
expect_exit 0 ctl_inside stop other
gone "$(<other)" "who has escaped from other"
same "the groups after a stop" "$(groups)" "./effd ./effd/unit:web"
expect_exit 0 inside systemctl reload effd

# ── effd is killed ──

stray=$(<web)
: >web
inside kill -KILL "$(property effd MainPID)"
await_property effd NRestarts 1
await_property effd SubState running
gone "$stray" "who has escaped from web"
await_line web '^[0-9]+$' >/dev/null
stray=$(<web)
same "the groups of the next" "$(groups)" "./effd ./effd/unit:other ./effd/unit:web"
expect_exit 0 inside systemctl stop effd
gone "$stray" "who has escaped from web"
same "how it ended" "$(property effd Result)" success
expect_exit 1 inside test -e /sys/fs/cgroup/system.slice/effd.service

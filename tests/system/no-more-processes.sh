#!/bin/bash
# SPDX-License-Identifier: MIT
# Where no more processes may be made, a start fails with that and is tried again after its delay, which costs nobody else
# anything; as soon as there is room it succeeds.
. "${0%/*}/lib.sh"
need_root
need setpriv prlimit
compile family
cp "$BUILD/effd" "$DIR/bin/effd"
EFFD_PROGRAM=$DIR/bin/effd
uid=$((63000 + $$ % 1000))
[ -z "$(pgrep -U "$uid")" ] || skip "somebody is user $uid"
mkdir "$DIR/user"
chown "$uid" "$DIR/user"
SOCKET=$DIR/user/control.sock
most=12 # effd, its threads, and some of the units
EFFD_UNDER=(setpriv --reuid "$uid" --regid "$uid" --clear-groups prlimit "--nproc=$most:1000")
others=$(seq -f '  o%.0f: {command: [sleep, infinity]}' 40)
umask 0
effd_launch <<TREE
version: 1
defaults: {restart: {backoff: {initial: 100ms, factor: 1, jitter: 0}}}
units:
  calm: {command: $DIR/bin/family}
  hooked: {command: $DIR/bin/family, activate: manual, restart: no, hooks: {pre_start: ['true']}}
  probed: {command: $DIR/bin/family, activate: manual, restart: no, readiness_probe: {exec: {command: ['true']}, period: 1s}}
$others
TREE
umask 022
await_notice READY=1
calm=$(pid_of calm)
ctl --json status >"$DIR/status.json"
in_state() { jq "[.units[] | select(.kind == \"process\" and .state == \"$1\")] | length" "$DIR/status.json"; }
[ "$(in_state backoff)" -gt 20 ] && [ "$(in_state up)" -gt 2 ] || fail "there is no limit here: $(in_state up) are up, $(in_state backoff) in backoff"
same "why" "$(jq -r '.units[] | select(.state == "backoff") | "\(.cause.kind) \(.cause.text)"' "$DIR/status.json" |
	sed 's/: o[0-9]*$//' | sort -u)" "exec_error fork: EAGAIN (Resource temporarily unavailable): sleep"

# It is tried again after its delay, and no sooner; meanwhile effd answers, and keeps nothing of what it could not make.
one=$(jq -r '[.units[] | select(.state == "backoff")][0].name' "$DIR/status.json")
effd=$(ctl --json version | jq -r .pid)
await_events 3 '.event == "state" and .to == "backoff"' "$one" >/dev/null
descriptors=$(find "/proc/$effd/fd" -mindepth 1 | wc -l)
# The time is taken around the counting.
now_ms() { awk '{ printf "%d", $1 * 1000 }' /proc/uptime; }
began=$(now_ms) from=$(field "$one" .starts)
some_more() { [ "$(field "$one" .starts)" -ge $((from + 5)) ]; }
eventually some_more
tries=$(($(field "$one" .starts) - from))
took=$(($(now_ms) - began))
[ "$tries" -le $((took / 100 + 2)) ] || fail "$tries tries within $took ms, with a delay of 100 ms"
no_more_descriptors() { [ "$(find "/proc/$effd/fd" -mindepth 1 | wc -l)" -le "$descriptors" ]; }
eventually no_more_descriptors
same "calm meanwhile" "$(field calm '"\(.state) \(.pid) \(.starts)"')" "up $calm 1"

# A command beside a unit is a failure of that command.
expect_exit 1 ctl start hooked
matches "a hook that cannot be made" "$(field hooked .last_exit.text)" '^pre_start: fork: EAGAIN'

# As soon as there is room all of them start.
setpriv --reuid "$uid" --regid "$uid" --clear-groups prlimit --pid "$effd" --nproc=1000:1000
for unit in $(seq -f 'o%.0f' 40); do wait_for up "$unit"; done
expect_exit 0 ctl start probed hooked
same "calm at the end" "$(field calm '"\(.state) \(.pid) \(.starts)"')" "up $calm 1"
effd_stop

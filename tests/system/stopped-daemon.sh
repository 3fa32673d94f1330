#!/bin/bash
# SPDX-License-Identifier: MIT
# effd itself is stopped for a while (SIGSTOP, a paused machine): what came in time still counts, and no delay is made up for.
. "${0%/*}/lib.sh"
compile notify family
mkfifo "$DIR/ready" "$DIR/told" "$DIR/end" "$DIR/ended"
# A stop of effd lasts longer than any limit of these.
effd_start <<TREE
version: 1
defaults: {activate: manual, restart: no, start_timeout: 3s}
units:
  ready: {type: notify, command: [$DIR/bin/notify, "@$DIR/ready", READY=1, "@$DIR/told"]}
  job: {type: oneshot, command: [sh, $DIR/job.sh]}
  crash: {shell: exit 3, restart: {policy: always, backoff: {initial: 200ms, factor: 1, jitter: 0}}}
  calm: {command: $DIR/bin/family}
TREE
# Who holds the FIFO ends with the job.
printf 'exec 9>%s\nread -r _ <%s\n' "$DIR/ended" "$DIR/end" >"$DIR/job.sh"
now_ms() { awk '{ printf "%d", $1 * 1000 }' /proc/uptime; }

# Start both, stop effd, and let them get there while it is stopped. False when that took so long that they were late.
stopped_in_time() {
	local began
	ctl stop ready job >/dev/null
	began=$(now_ms)
	expect_exit 0 ctl start --no-wait ready job
	exec {ended}<"$DIR/ended"
	kill -STOP "$EFFD"
	echo >"$DIR/ready"
	echo >"$DIR/end"
	read -r -t "$limit" _ <&"$ended" || [ $? -eq 1 ] || fail "the job does not end"
	exec {ended}<&-
	# It reads here once it has said READY.
	echo >"$DIR/told"
	[ "$(($(now_ms) - began))" -lt 2900 ]
}
until stopped_in_time; do
	kill -CONT "$EFFD"
done
stand_still() { # MS
	local began
	began=$(now_ms)
	until [ "$(($(now_ms) - began))" -gt "$1" ]; do
		read -r -t 1 _ <>"$DIR/ended" || true
	done
}
stand_still 3500
kill -CONT "$EFFD"
wait_for up ready
same "one that said READY in time" "$(field ready '"\(.state) \(.cause.kind)"')" "up null"
same "a job that ended in time" "$(field job '"\(.state) \(.last_exit.kind) \(.last_exit.code)"')" "done exit 0"

# A delay that has passed many times over has passed once.
expect_exit 0 ctl start calm
calm=$(pid_of calm)
expect_exit 0 ctl start --no-wait crash
await_events 2 '.event == "state" and .to == "backoff"' crash >/dev/null
kill -STOP "$EFFD"
stand_still 2000
kill -CONT "$EFFD"
continued=$(now_ms)
starts=$(field crash .starts)
await_events "$((starts + 2))" '.event == "state" and .to == "backoff"' crash >/dev/null
took=$(($(now_ms) - continued))
[ "$took" -ge 200 ] || fail "two more starts within $took ms: delays are made up for"
same "calm meanwhile" "$(field calm '"\(.state) \(.pid)"')" "up $calm"
effd_stop

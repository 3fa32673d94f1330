#!/bin/bash
# SPDX-License-Identifier: MIT
# Units on demand: the first who comes starts one and is answered; it rests again after a clean end; what fails, or takes
# nobody, keeps nobody busy.
. "${0%/*}/lib.sh"
need_apart # ports of its own
need ip ss
ip link set lo up
compile answerer knocker
knock() { "$DIR/bin/knocker" "$@"; }
effd_start <<TREE
version: 1
sockets:
  http: {listen: "tcp:127.0.0.1:8080"}
  dns: {listen: "udp:127.0.0.1:53"}
  ctl: {listen: "unix:./ctl.sock"}
  bad: {listen: "tcp:127.0.0.1:8081"}
  idle: {listen: "tcp:127.0.0.1:8082"}
units:
  web: {command: $DIR/bin/answerer, sockets: [http], activate: on-demand}
  dns: {command: [$DIR/bin/answerer, once], sockets: [dns], activate: on-demand}
  ctl: {command: [$DIR/bin/answerer, once], sockets: [ctl], activate: on-demand}
  bad:
    command: [$DIR/bin/answerer, none]
    sockets: [bad]
    activate: on-demand
    restart: {backoff: {initial: 1ms, max: 1ms, jitter: 0}, max_restarts: 3}
  idle: {command: "true", sockets: [idle], activate: on-demand}
  user: {command: [sleep, infinity], depends_on: [web, dns, ctl]}
TREE
same "who depends on them runs" "$(state user)" up
same "what rests" "$(ctl --json status web dns ctl | jq -r '.units[] | "\(.state) \(.pid) \(.sockets[0].activates)"' | sort -u)" \
	"waiting null true"
expect_exit 0 ctl status web
matches "what comes next" "$(ctl explain web)" 'when somebody comes to one of its sockets'

# Does effd run now? Of one that has nothing to do hardly a look sees it so.
is_idle() {
	local n=0
	for i in {1..50}; do [[ $(<"/proc/$EFFD/stat") != *") R "* ]] || n=$((n + 1)); done
	[ "$n" -lt 10 ]
}
eventually is_idle

answer=$(knock 3 tcp:8080)
same "who answers" "$(sort -u <<<"$answer")" "$(pid_of web)"
same "how often it was started" "$(field web .starts)" 1
# Datagrams, and a process for each.
for i in 1 2 3; do
	knock 1 udp:53 >>"$DIR/dns.txt"
	wait_for waiting dns
	knock 1 "unix:$DIR/ctl.sock" >>"$DIR/ctl.txt"
	wait_for waiting ctl
done
same "processes for datagrams" "$(sort -u "$DIR/dns.txt" | grep -c .)" 3
same "processes for connections" "$(sort -u "$DIR/ctl.txt" | grep -c .)" 3

# It ends clean while many come: each is answered, by this process or the next.
"$DIR/bin/knocker" 0 tcp:8080 >"$DIR/count.txt" 2>"$DIR/knocker.err" &
knocker=$!
await_line "$DIR/count.txt" begun >/dev/null
for i in {1..5}; do
	before=$(field web .starts)
	expect_exit 0 ctl signal TERM web
	again() { [ "$(field web .starts)" -gt "$before" ]; }
	eventually again
done
kill -TERM "$knocker"
wait "$knocker" || fail "somebody was not answered: $(<"$DIR/knocker.err")"
expect_exit 0 ctl signal TERM web
wait_for waiting web

# One that fails goes by its policy, gives up, and is left alone by who waits there.
visit() { # PORT: comes, and stays
	exec python3 -c 'import signal, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
signal.pause()' "$1"
}
visit 8081 &
visitor=$!
wait_for failed bad
same "how often" "$(field bad '"\(.starts) \(.cause.kind)"')" "4 max_restarts"
eventually is_idle
same "how often later" "$(field bad .starts)" 4
# One that takes nobody is started twenty times in two seconds.
visit 8082 &
other=$!
await_events 1 '.event == "started_too_often"' idle >/dev/null
starts=$(field idle .starts)
[ "$starts" -le 40 ] || fail "it was started $starts times"
kill "$visitor" "$other"
wait "$visitor" "$other" || true

# A stop by hand holds.
expect_exit 0 ctl stop idle bad web
same "stopped" "$(state web)" down
"$DIR/bin/knocker" 1 tcp:8080 >"$DIR/late.txt" &
knocker=$!
waiting() { [ "$(ss -Hltn 'sport = 8080' | awk '{ print $2 }')" -eq 1 ]; }
eventually waiting
same "still stopped" "$(state web)" down
expect_exit 0 ctl start web
wait "$knocker"
same "who answers" "$(<"$DIR/late.txt")" "$(pid_of web)"
expect_exit 0 ctl signal TERM web
wait_for waiting web

eventually is_idle
effd_stop
[ ! -e "$DIR/ctl.sock" ] || fail "a socket is left"

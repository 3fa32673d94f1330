#!/bin/bash
# SPDX-License-Identifier: MIT
# Sockets that effd holds: who connects while a service restarts, stops, dies or is reloaded waits and is answered, and a
# process is given exactly its own.
. "${0%/*}/lib.sh"
need_apart # ports of its own
need ip ss
ip link set lo up
compile answerer knocker
knock() { "$DIR/bin/knocker" "$@"; }
tree() { # BACKLOG, further units
	cat <<TREE
version: 1
sockets:
  http: {listen: "tcp:127.0.0.1:8080", backlog: $1}
  ctl: {listen: "unix:./run/ctl.sock", mode: "0660"}
  dns: {listen: "udp:127.0.0.1:53"}
units:
  web: {command: $DIR/bin/answerer, sockets: [http, ctl], restart: {backoff: {initial: 20ms, max: 20ms}}}
  ctl: {command: $DIR/bin/answerer, sockets: ctl2, enabled: false}
  dns: {command: $DIR/bin/answerer, sockets: dns}
$2
TREE
}
plain() { tree 511 "$1" | sed '/ctl2/d'; }
inode_of() { # UNIT: of what it has as 3
	readlink "/proc/$(pid_of "$1")/fd/3"
}

effd_start < <(plain "")
follow 1 '.text == "2 http:ctl mine, 5 descriptors"' logs -f web >/dev/null
follow 1 '.text == "1 dns mine, 4 descriptors"' logs -f dns >/dev/null
same "the mode" "$(stat -c %a,%F "$DIR/run/ctl.sock")" 660,socket
same "what status tells" "$(field web '.sockets | map("\(.name) \(.listen) \(.open)") | join(", ")')" \
	"http tcp:127.0.0.1:8080 true, ctl unix:$DIR/run/ctl.sock true"
ctl status web >"$DIR/one.txt" || true
matches "for people" "$(<"$DIR/one.txt")" "sockets +http tcp:127.0.0.1:8080, ctl unix:$DIR/run/ctl.sock"
same "who answers" "$(knock 1 tcp:8080)" "$(pid_of web)"
same "who answers datagrams" "$(knock 1 udp:53)" "$(pid_of dns)"
inode=$(inode_of web)

# One connection after the other, without a pause, while all that can happen to it happens.
is_again() { [ "$(field web .restarts)" -gt "$1" ]; } # RESTARTS
new_fifo
"$DIR/bin/knocker" 0 tcp:8080 >"$FIFO" 2>"$DIR/knocker.err" &
knocker=$!
exec {counts}<"$FIFO"
read -r begun <&"$counts"
same "the first" "$begun" begun
for i in {1..5}; do
	expect_exit 0 ctl restart web
	fails=$(field web .restarts)
	expect_exit 0 ctl signal USR1 web
	eventually is_again "$fails"
	wait_for up web
	plain "  more$i: {command: $DIR/bin/answerer, sockets: [], depends_on: [dns], activate: manual}" >"$TREE"
	expect_exit 0 ctl reload
done
kill -TERM "$knocker"
wait "$knocker" || fail "a connection was lost: $(<"$DIR/knocker.err")"
read -r count <&"$counts"
exec {counts}<&-
[ "$count" -gt 10 ] || fail "only $count connections were made"
same "the socket is the same" "$(inode_of web)" "$inode"

# While it is stopped they wait: as many as there is room for, until it is back.
expect_exit 0 ctl stop web
"$DIR/bin/knocker" 20 tcp:8080 >"$DIR/answers.txt" &
knocker=$!
waiting() { [ "$(ss -Hltn 'sport = 8080' | awk '{ print $2 }')" -ge 1 ]; }
eventually waiting
plain "" >"$TREE"
expect_exit 0 ctl reload
expect_exit 0 ctl start web
wait "$knocker" || fail "who waited was not answered"
same "who has answered" "$(sort -u "$DIR/answers.txt")" "$(pid_of web)"
same "the socket is the same" "$(inode_of web)" "$inode"

# What is said otherwise is another one, and restarts who has it, alone.
dns=$(pid_of dns)
tree 9 "" | sed '/ctl2/d' >"$TREE"
same "the plan" "$(ctl --json plan | jq -c '[.changes[] | [.unit, .action, .fields[]]]')" '[["web","restart","sockets"]]'
expect_exit 0 ctl reload
[ "$(inode_of web)" != "$inode" ] || fail "it is the old socket"
same "the backlog" "$(ss -Hltn 'sport = 8080' | awk '{ print $3 }')" 9
same "dns is the one it was" "$(pid_of dns)" "$dns"
same "who answers" "$(knock 2 tcp:8080 | sort -u)" "$(pid_of web)"

# A port that somebody has: told, tried again, and the others run.
"$DIR/bin/knocker" 1 udp:53 >/dev/null
tree 9 "" >"$TREE"
expect_exit 1 ctl reload
matches "what is wrong" "$OUT$ERR" 'there is no socket .ctl2.'
tree 9 '  other: {command: '"$DIR/bin/answerer"', sockets: [taken], restart: {backoff: {initial: 20ms, max: 20ms}}}' |
	sed '/ctl2/d; s|^sockets:|&\n  taken: {listen: "tcp:127.0.0.1:8081"}|' >"$TREE"
python3 -c 'import socket, sys; s = socket.create_server(("127.0.0.1", 8081)); print("taken", flush=True); sys.stdin.read()' \
	< <(sleep infinity & echo $! >"$DIR/sleep.pid"; wait) >"$DIR/taken.txt" &
taker=$!
await_line "$DIR/taken.txt" taken >/dev/null
expect_exit 1 ctl reload
matches "what has failed" "$OUT" '^other: failed, backoff: .*EADDRINUSE'
matches "why it cannot start" "$(field other .last_exit.text)" '^socket: EADDRINUSE \(Address already in use\): tcp:127.0.0.1:8081$'
same "web runs" "$(state web)" up
kill "$(<"$DIR/sleep.pid")"
wait "$taker"
wait_for up other
same "who answers" "$(knock 1 tcp:8081)" "$(pid_of other)"

# What nobody names is closed, with its file; at the end all are.
plain "" | sed 's/\[http, ctl\]/[http]/' >"$TREE"
expect_exit 0 ctl reload
[ ! -e "$DIR/run/ctl.sock" ] || fail "the socket of nobody is there"
same "who listens" "$(ss -Hltn | grep -c ':808[01]' || true)" 1
effd_stop
same "who listens at the end" "$(ss -Hltnu)" ""

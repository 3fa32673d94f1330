#!/bin/bash
# SPDX-License-Identifier: MIT
# Whatever a client sends or does not read, effd lives, and answers the others.
. "${0%/*}/lib.sh"
compile client family
new_fifo
gate=$FIFO
effd_start <<TREE
version: 1
units:
  calm: {command: $DIR/bin/family}
  loud:
    activate: manual
    type: oneshot
    shell: 'i=0; while [ \$i -lt 60000 ]; do echo "line \$i of a long story that nobody reads ..............................."; i=\$((i+1)); done'
    log: {stdout: ring, ring: 256KiB}
TREE
calm=$(pid_of calm)
answers() { # AFTER-WHAT
	expect_exit 0 ctl --json status calm
	same "calm after $1" "$(jq -r '.units[0] | "\(.state) \(.pid)"' <<<"$OUT")" "up $calm"
}
call() { # a request without its NUL
	printf '%s\0' "$1" | timeout "$limit" "$DIR/bin/client" "$SOCKET" send
}
error_of() { jq -r '.error // "none"' <<<"$(head -n 1 <<<"$1")"; }
refused() { # WHAT ANSWER: BadRequest, then closed
	same "$1" "$(error_of "$2")" org.effd.Control.BadRequest
	answers "$1"
}

for text in '{' '{"method":' 'nonsense' '[]' '7' '""' '{"method":"org.effd.Control.Ping",}' \
	'{"method":"org.effd.Control.Ping","method":"org.effd.Control.Version"}' \
	'{"method":"org.effd.Control.Status","parameters":{"units":["\ud800"]}}' '{"method":7}' ''; do
	refused "the request '$text'" "$(call "$text")"
done
answer=$({ printf '{"method":\0'; printf '{"method":"org.effd.Control.Ping"}\0'; } | timeout "$limit" "$DIR/bin/client" "$SOCKET" send)
same "nothing is answered behind a bad request" "$(sed 1d <<<"$answer" | grep -vE '^(closed|reset)$' || true)" ""

deep=$(printf '%0100000d' 0 | tr 0 '[')
refused "nesting of 100000" "$(call "{\"method\":\"org.effd.Control.Ping\",\"parameters\":$deep")"
nested() { printf '%*s' "$1" '' | tr ' ' '['; printf '%*s' "$1" '' | tr ' ' ']'; }
refused "nesting of 40" "$(call "{\"method\":\"org.effd.Control.Status\",\"parameters\":{\"units\":$(nested 40)}}")"
answer=$(head -c 2097152 /dev/zero | tr '\0' 'x' | timeout "$limit" "$DIR/bin/client" "$SOCKET" send)
refused "2 MiB without an end" "$answer"
head -c 300000 /dev/urandom | timeout "$limit" "$DIR/bin/client" "$SOCKET" send >/dev/null
answers "bytes at random"
printf '{"method":"org.effd.Con' | "$DIR/bin/client" "$SOCKET" vanish
printf '{"method":"org.effd.Control.Logs","parameters":{"follow":true},"more":true}\0' | "$DIR/bin/client" "$SOCKET" vanish
for _ in {1..50}; do
	printf '{"method":"org.effd.Control.Status"}\0%.0s' {1..20} | "$DIR/bin/client" "$SOCKET" vanish
done
answers "clients that went away"

# Nobody asked for descriptors; whoever sends some has them closed, and an answer.
answer=$(printf '{"method":"org.effd.Control.Ping"}\0' | timeout "$limit" "$DIR/bin/client" "$SOCKET" attach)
same "a request with 253 descriptors" "$answer" '{"parameters":{}}
let go'

# Each kind of wrong name has its error.
same "no dot" "$(error_of "$(call '{"method":"Ping"}')")" org.varlink.service.InvalidParameter
same "an unknown interface" "$(error_of "$(call '{"method":"org.example.Ping"}')")" org.varlink.service.InterfaceNotFound
same "an unknown method" "$(error_of "$(call '{"method":"org.effd.Control.Destroy"}')")" org.varlink.service.MethodNotFound
same "an unknown parameter" "$(error_of "$(call '{"method":"org.effd.Control.Status","parameters":{"colour":1}}')")" org.varlink.service.InvalidParameter
same "a parameter of a wrong type" "$(error_of "$(call '{"method":"org.effd.Control.Status","parameters":{"units":7}}')")" org.varlink.service.InvalidParameter
same "a unit that is not there" "$(call '{"method":"org.effd.Control.Status","parameters":{"units":["../calm"]}}' | head -n 1 | jq -r '"\(.error) \(.parameters.unit)"')" \
	"org.effd.Control.NoSuchUnit ../calm"
same "verbs need units" "$(error_of "$(call '{"method":"org.effd.Control.Stop"}')")" org.varlink.service.InvalidParameter
answer=$(call '{"method":"org.varlink.service.GetInfo"}')
same "what a Varlink client asks first" "$(jq -c '.parameters.interfaces' <<<"$answer")" '["org.varlink.service","org.effd.Control"]'
answer=$(call '{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.effd.Control"}}')
matches "the interface's description" "$(jq -r .parameters.description <<<"$answer")" '^method Status *\('
same "what a tree may be, as effctl tells it" "$(call '{"method":"org.effd.Control.Schema"}' | head -n 1 | jq -S .parameters.schema)" \
	"$("$BUILD/effctl" schema | jq -S .)"
answer=$(printf '%s\0' '{"method":"org.effd.Control.Ping"}' '{"method":"org.effd.Control.Ping","oneway":true}' \
	'{"method":"org.effd.Control.Version"}' | timeout "$limit" "$DIR/bin/client" "$SOCKET" send | head -n 2)
same "pipelined requests are answered in order, oneway ones not" "$(jq -sr 'map(.parameters | has("pid")) | join(" ")' <<<"$answer")" "false true"

# A client that asks for a stream and never reads is dropped, told that it lost something, and costs nobody anything.
new_fifo
sent=$FIFO
printf '{"method":"org.effd.Control.Logs","parameters":{"units":["loud"],"follow":true},"more":true}\0' |
	GATE=$gate timeout "$limit" "$DIR/bin/client" "$SOCKET" deaf >"$sent" &
deaf=$!
exec 5<"$sent"
read -r -t "$limit" _ <&5
expect_exit 0 ctl start loud
answers "a stream that nobody reads"
echo go >"$gate"
read -r -t "$limit" last <&5
same "the last message to it" "$(jq -r .error <<<"$last")" org.effd.Control.Lost
read -r -t "$limit" end <&5
same "how that stream ended" "$end" closed
exec 5<&-
wait "$deaf"

# 300 at once that want to hear what happens: 256 are served, the others told that effd is busy, and all is well when they have
# gone. 300 that say nothing keep nobody out.
crowd() { # crowd|silent
	new_fifo
	held=$FIFO
	GATE=$gate timeout "$limit" "$DIR/bin/client" "$SOCKET" "$1" 300 >"$held" &
	crowd=$!
	exec 5<"$held"
	read -r -t "$limit" counts <&5
	read -r -t "$limit" _ <&5
}
crowd_goes() {
	echo go >"$gate"
	wait "$crowd"
	exec 5<&-
	answers "a crowd of clients"
}
crowd crowd
same "what became of 300 clients" "$counts" "served 256 busy 44 other 0"
expect_exit 1 ctl ping
crowd_goes
crowd silent
expect_exit 0 ctl ping
crowd_goes
same "no unit was touched" "$(field calm '"\(.starts) \(.restarts)"')" "1 0"
effd_stop

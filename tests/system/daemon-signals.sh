#!/bin/bash
# SPDX-License-Identifier: MIT
# What signals to effd do is the tree's to say, from one reload to the next; as PID 1 of a container it survives all of them.
. "${0%/*}/lib.sh"
compile family
tree() { # SIGNALS
	cat <<TREE
version: 1
daemon: {signals: {$1}, log_level: debug}
units:
  web:
    shell: |
      trap 'echo got USR2' USR2
      trap 'echo got HUP' HUP
      echo ready
      while :; do sleep 1000 & wait; done
    readiness_probe: {log: {match: ready}, period: 1s}
  workers:
    units:
      one: {shell: "trap 'echo got USR2' USR2; echo ready; while :; do sleep 1000 & wait; done", readiness_probe: {log: {match: ready}}}
      two: {command: $DIR/bin/family, activate: manual}
TREE
}
got() { follow 1 ".text == \"got $2\"" logs -f "$1" >/dev/null; } # UNIT SIGNAL

effd_start < <(tree 'USR1: reload, USR2: forward:web, SIGWINCH: ignore, ALRM: "forward:workers/two", RTMIN+3: stop')
kill -WINCH "$EFFD"
kill -USR2 "$EFFD"
got web USR2
# Nobody is there.
kill -ALRM "$EFFD"
await_line "$DIR/effd.log" 'SIGALRM is for workers/two, and nothing of it runs' >/dev/null

# A reload changes what they do: one that was passed on to web goes to all of a group, one that was ignored reloads, and one
# that did something does nothing.
pid=$(pid_of web)
tree 'USR1: ignore, USR2: forward:workers, HUP: forward:web, WINCH: reload' >"$TREE"
kill -USR1 "$EFFD"

changed() { ctl --json show / --resolved | jq -e '.. | objects | select(.field == "daemon.signals" and (.value | test("SIGUSR2: forward:workers")))' >/dev/null; }
eventually changed
# The program itself knows by the next reload at the latest: it is over when that has been answered.
expect_exit 0 ctl reload
kill -USR1 "$EFFD"
kill -USR2 "$EFFD"
got workers/one USR2
kill -HUP "$EFFD"
got web HUP
same "web has got USR2" "$(ctl --json logs web | jq -s 'map(select(.text == "got USR2")) | length')" 1
same "web is the one it was" "$(pid_of web)" "$pid"
sed -i 's/log_level: debug/log_level: info/' "$TREE"
kill -WINCH "$EFFD"
lower() { ctl --json show / --resolved | jq -e '.. | objects | select(.field == "daemon.log_level" and .value == "info")' >/dev/null; }
eventually lower
# A tree that is wrong changes nothing.
tree 'WINCH: forward:nobody' >"$TREE"
expect_exit 1 ctl reload
matches "what is wrong" "$OUT$ERR" 'there is no unit .nobody.'
kill -USR1 "$EFFD"
kill -USR2 "$EFFD"
twice() { [ "$(ctl --json logs workers/one | jq -s 'map(select(.text == "got USR2")) | length')" -eq 2 ]; }
eventually twice
tree 'RTMIN+3: stop' >"$TREE"
expect_exit 0 ctl reload
kill -RTMIN+3 "$EFFD"
effd_ended 0
matches "what effd says" "$(cat "$DIR/effd.log")" 'SIG37: stopping|SIGRTMIN\+3: stopping'

# One that comes while the last of effd goes does not change how it ends.
for ((i = 0; i < 12; i++)); do
	effd_start <<<'{version: 1, units: {one: {command: sleep 1000}}}'
	kill -TERM "$EFFD"
	while kill -TERM "$EFFD" 2>/dev/null; do :; done
	effd_ended 0
done

# ── The first process of a container ──

if [ -n "${APART-}" ]; then
	all() { for n in {1..64}; do case $n in 9 | 19 | 17 | 32 | 33) ;; *) echo "$n" ;; esac; done; }
	: >"$DIR/effd.log"
	EFFD_UNDER=(unshare --fork --pid --mount-proc --kill-child)
	effd_start <<TREE
version: 1
daemon: {signals: {TERM: ignore, INT: ignore, USR2: "forward:web"}}
units:
  web: {shell: "trap 'echo got USR2' USR2; echo ready; while :; do sleep 1000 & wait; done", readiness_probe: {log: {match: ready}}}
  within: {type: oneshot, activate: manual, command: [bash, -c, "for n in $(all | tr '\n' ' '); do kill -\$\$n 1; done"]}
TREE
	inner=$(cut -d' ' -f1 <"/proc/$EFFD/task/$EFFD/children")
	same "it is PID 1" "$(awk '/^NSpid:/ { print $NF }' "/proc/$inner/status")" 1
	pid=$(pid_of web)
	# From outside, as container engines send them, and from inside.
	for n in $(all); do kill -"$n" "$inner"; done
	got web USR2
	expect_exit 0 ctl start within
	expect_exit 0 ctl ping
	same "web is the one it was" "$(pid_of web)" "$pid"
	same "it is the one it was" "$(cut -d' ' -f1 <"/proc/$EFFD/task/$EFFD/children")" "$inner"
	effd_stop

	# With one command, what is sent is the command's.
	cp "$BUILD/effd" "$DIR/bin/effd"
	expect_exit 5 timeout "$limit" unshare --fork --pid --mount-proc --kill-child "$DIR/bin/effd" -- sh -c '
		trap "exit 5" USR1; trap "kill -USR1 1" HUP; kill -HUP 1; while :; do sleep 1000 & wait; done'
fi

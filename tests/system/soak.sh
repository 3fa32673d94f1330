#!/bin/bash
# SPDX-License-Identifier: MIT
# However often units are started again, the tree is read anew and clients come and go: effd has as much memory and as many
# descriptors, threads and children afterwards as before. SOAK='RESTARTS RELOADS CLIENTS' says how often (make soak:
# 100000 10000 10000).
. "${0%/*}/lib.sh"
compile family client
read -r n_restarts n_reloads n_clients <<<"${SOAK-2000 200 500}"
n_units=8
each= # How often each unit of the storm is started again.
tree() { # GENERATION
	local i words
	cat <<TREE
version: 1
daemon: {log_level: error}
defaults: {log: {ring: 1KiB}}
units:
  steady: {command: $DIR/bin/family, environment: {GENERATION: "$1"}, description: the one of $1}
  untouched: {command: $DIR/bin/family, liveness_probe: {exec: {command: ['true']}, period: 1s}}
$(seq -f "  g$1-%.0f: {command: [sleep, infinity], activate: manual}" $((1 + $1 % 3)))
  storm:
    activate: manual
    defaults: {restart: {max_restarts: $each, backoff: {initial: 0s}}}
    units:
TREE
	for ((i = 0; i < n_units; i++)); do
		case $((i % 4)) in
		0) words="command: ['true']" ;;
		1) words="command: [echo, some words], log: {stdout: {file: $DIR/u$i.log}, rotate: {size: 16KiB, keep: 1}}" ;;
		2) words="command: ['false'], user: $(id -un), hooks: {post_stop: ['true']}" ;;
		3) words="command: [$DIR/text], environment: {A: b}" ;;
		esac
		echo "      u$i: {$words}"
	done
}

restarts() { # BEFORE, of each
	expect_exit 0 ctl start --no-wait storm
	limit=3600 wait_for failed 'storm/*'
	ctl --json status 'storm/*' >"$DIR/status.json" || [ $? -eq 3 ]
	same "restarts of each" "$(jq -c "[.units[].restarts - $1] | unique" "$DIR/status.json")" "[$each]"
	expect_exit 0 ctl stop storm
}
reloads() { # NUMBER
	local i
	for ((i = 0; i < $1; i++)); do
		generation=$((generation + 1))
		tree >"$TREE" "$generation"
		ctl reload >/dev/null
	done
	wait_for up steady untouched
}
# Some ask and are answered, some follow and go, some go amid their question.
clients() { # NUMBER
	local i
	for ((i = 0; i < $1; i++)); do
		case $((i % 5)) in
		0) ctl ping ;;
		1) ctl --json status steady ;;
		2) ctl wait --for failed --timeout 1ms steady 2>&1 || [ $? -eq 7 ] ;;
		3) "$DIR/bin/client" "$SOCKET" vanish <<<'{"method":"org.effd.Contr' ;;
		4) printf '%s\0' '{"method":"org.effd.Control.Events","parameters":{"follow":true},"more":true}' |
			"$DIR/bin/client" "$SOCKET" vanish ;;
		esac >/dev/null
	done
}

# Where the probe or a client is under way there are some more.
look() { descriptors_of "$EFFD" | sed 's/\[[0-9]*\]//' | sort; }
memory() { awk '/^RssAnon:/ { print $2 }' "/proc/$EFFD/status"; }
as_before() { [ "$(look)" = "$before" ] && no_probe; }

settle() { # After a reload effd gives back what it does not need.
	reloads 1
	eventually no_probe
}
no_probe() { [ "$(wc -w <"/proc/$EFFD/task/$EFFD/children")" -eq 2 ]; }

printf '#!/nowhere\n' >"$DIR/text"
chmod +x "$DIR/text"
generation=0
each=150
effd_start < <(tree 0)
# Whatever is made once has been made then.
restarts 0
reloads 100
clients 250
each=$((n_restarts / n_units))
settle
before=$(look) # twice the same, so that nothing is under way
until no_probe && [ "$(look)" = "$before" ]; do before=$(look); done
memory_before=$(memory)
pid=$(pid_of untouched)

restarts 150
reloads "$n_reloads"
clients "$n_clients"
settle
eventually as_before
threads=$(find "/proc/$EFFD/task" -mindepth 1 -maxdepth 1 | wc -l)
[ "$threads" -le 6 ] || fail "$threads threads"
memory_after=$(memory)
echo "descriptors: $(wc -l <<<"$before"); threads: $threads; KiB: $memory_before, and after $n_restarts restarts," \
	"$n_reloads reloads and $n_clients clients $memory_after"
[ "$memory_after" -le $((memory_before + 512)) ] || fail "it has grown by $((memory_after - memory_before)) KiB"
same "the untouched one" "$(field untouched '"\(.pid) \(.starts)"')" "$pid 1"
effd_stop

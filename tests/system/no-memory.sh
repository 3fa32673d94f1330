#!/bin/bash
# SPDX-License-Identifier: MIT
# Any allocation of effd's may fail, once, whatever it is doing: what was asked for may fail, or a start, which is tried again;
# effd goes on and loses no unit. Ten of each act's allocations are chosen by a seed; NOMEM=all takes each.
. "${0%/*}/lib.sh"
compile family notify
${CC:-cc} -std=gnu17 -D_GNU_SOURCE -O1 -Wall -Wextra -shared -fPIC -o "$DIR/noalloc.so" "$here/programs/noalloc.c"
head -c 24 /dev/zero >"$DIR/numbers"
if ldd "$BUILD/effd" | grep -q asan; then skip "a sanitizer has its own"; fi
EFFD_UNDER=(env "LD_PRELOAD=$DIR/noalloc.so" "NOALLOC_FILE=$DIR/numbers")
number() { od -An -v -t u8 -j $((8 * $1)) -N 8 "$DIR/numbers" | tr -d ' '; }
count() { number 0; }
fail_at() { # N, 0: none
	local byte bytes='' n=$1
	for _ in {1..8}; do
		printf -v byte '\\x%02x' $((n & 255))
		bytes+=$byte
		n=$((n >> 8))
	done
	printf '%b' "$bytes" | dd of="$DIR/numbers" bs=8 seek=1 conv=notrunc status=none
}
tree() { # VALUE
	cat <<TREE
version: 1
defaults: {restart: {backoff: {initial: 1ms, factor: 1, jitter: 0}}, stop: {timeout: 1s}}
units:
  web: {command: $DIR/bin/family, environment: {V: "$1"}, log: {stdout: ring}}
  told: {type: notify, command: [$DIR/bin/notify, READY=1, STATUS=well], depends_on: [web]}
  crash: {shell: 'read -r _ <$DIR/gate; exit 3'}
  probed: {command: $DIR/bin/family, readiness_probe: {exec: {command: ['true']}, period: 1s}, hooks: {pre_start: ['true']}, user: $(id -un)}
  beat: {fiber: heartbeat, with: {every: 1h}}
  filed: {shell: 'seq 1 500; exec $DIR/bin/family', log: {stdout: {file: $DIR/log}, rotate: {size: 1KiB, keep: 3}}}
  group: {units: {inner: {command: $DIR/bin/family}}}
$2
TREE
}
mkfifo "$DIR/gate"
exec {gate}<>"$DIR/gate"
value=1
effd_start < <(tree 1 "")
pid=$EFFD
calm=$(pid_of group/inner)
units=(web told crash probed beat filed group/inner)

asks() { ctl --json status && ctl explain told && ctl --json logs web && ctl --json events && ctl show web && ctl plan; }
restarts() { ctl restart web probed filed; }
stops() { ctl stop web; ctl start web told; }
crashes() { echo >&"$gate" && ctl ping; }
reloads() {
	value=$((value + 1))
	tree "$value" "  new$value: {command: $DIR/bin/family}" >"$TREE"
	ctl reload
}
all_is_well() { # WHAT
	local unit
	[ -e "/proc/$pid" ] || fail "effd has ended after $1"
	expect_exit 0 ctl ping
	# A stop by hand may have been done, and its start refused.
	for unit in "${units[@]}"; do
		[ "$(state "$unit")" = up ] || ctl start "$unit" >/dev/null 2>&1 || wait_for up "$unit"
	done
	same "one that nobody has touched, after $1" "$(pid_of group/inner)" "$calm"
}

seed=${NOMEM_SEED-$RANDOM}
RANDOM=$seed
for act in asks restarts stops crashes reloads; do
	began=$(count)
	$act >/dev/null 2>&1 || true
	all_is_well "$act"
	began=$(count)
	$act >/dev/null 2>&1 || true
	n=$(($(count) - began))
	failed=0
	for ((k = 1; k <= n; k++)); do
		[ "${NOMEM-}" = all ] || [ "$n" -le 10 ] || [ $((RANDOM % n)) -lt 10 ] || continue
		before=$(number 2)
		fail_at $(($(count) + k))
		$act >"$DIR/out.txt" 2>&1 || true
		fail_at 0
		failed=$((failed + $(number 2) - before))
		all_is_well "$act with its allocation $k failed (NOMEM_SEED=$seed)"
	done
	echo "$act: $n allocations, $failed failed"
	[ "$failed" -gt 0 ] || fail "none has failed"
done
tree "$((value + 1))" "" >"$TREE"
expect_exit 0 ctl reload
effd_stop
same "what is left" "$(processes_of family)" ""

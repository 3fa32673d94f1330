#!/bin/bash
# SPDX-License-Identifier: MIT
# The tables of the bench: which bound is met and which is missed, by the limit, by the best of the others or by the value itself,
# and the best of several runs counts, which of a rate is the highest.
. "${0%/*}/lib.sh"
report=$here/../bench/report
cat >first <<'END'
restart_p50.effd 100.00 us
restart_p50.limit_clone3 90.00 us
restart_p50.limit_posix_spawn 150.00 us
restart_p50.dinit 200.00 us
restart_p50.s6 1000000.00 us
start_1000.effd 80.00 ms
start_1000.limit_clone3 50.00 ms
start_1000.limit_posix_spawn 100.00 ms
storm_rate.effd 80.00 /s
storm_rate.limit_clone3 100.00 /s
log_blocks.effd 500.00 MB/s
log_blocks_lost.effd 1.00 lines
switch.libeff 13.9 ns
switch.limit 11.0 ns
this line says nothing
END
echo "storm_rate.effd 95.00 /s" >second
told=$("$report" first)
of() { grep -F "| $1" <<<"$told" | sed 's/ *|/|/g; s/| */|/g'; } # WHAT IT IS: its row, without blanks
same "by a limit, and by the best peer" "$(of "restart, median")" \
	"|restart, median, us|100|90.0 clone3|1.11|200 dinit|0.50|<= 1.15 times limit: met; <= 0.4 times peer: MISSED|"
same "by one of its name, and none" "$(of "start of 1000")" \
	"|start of 1000, ms|80.0|50.0 clone3|1.60|–|–|<= 0.75 times limit_posix_spawn: MISSED; <= 0.2 times peer: not measured|"
same "a rate" "$(of "storm of 200")" "|storm of 200, restarts a second|80.0|100 clone3|0.80|–|–|>= 0.9 times limit: MISSED|"
same "by the value" "$(of "lost lines")" "|lost lines|1.00|–|–|–|–|<= 0: MISSED|"
same "of the library" "$(of "fibers: a switch")" "|fibers: a switch, ns|13.9|11.0|1.26|–|–|<= 14: met|"
matches "how many" "$told" '^2 bounds met, 4 missed, 2 without what they are measured by\.$'
matches "everybody" "$told" '^\| restart_p50, us +\| 100 +\| 90\.0 +\| 150 +\| 200 +\| 1000000 '
told=$("$report" first second)
matches "the best of two runs" "$(of "storm of 200")" '\|95\.0\|.*: met\|$'
expect_exit 2 "$report"
# Each measure of the bounds is one that the bench can tell of.
n=0
while read -r measure form; do
	n=$((n + 1))
	grep -rqF --include='*.c' "\"$form\"" "$here/../bench" || fail "nothing measures $measure"
done < <(sed -n 's/^\([a-z0-9_]*\) *|.*/\1 \1/p' "$here/../bench/bounds" |
	sed -E 's/ (.*)_1000/ \1_%u/; s/ log_(blocks|lines)/ log_%s/; s/ status_(one|all)_(native|command)/ status_%s_%s/')
[ "$n" -ge 30 ] || fail "only $n bounds were looked at"

#!/bin/bash
# SPDX-License-Identifier: MIT
# A thousand processes start, crash all at once, start again and stop: what effd asks of the kernel for that, and the steps that
# it takes, are in proportion to how many they are, and not more for each than they need to be.
. "${0%/*}/lib.sh"
EFFD_PROGRAM=$BUILD/steps/effd
[ -x "$EFFD_PROGRAM" ] || skip "needs what make STEPS=1 build-scales makes"
need pgrep
compile count family
names=(steps pid calls bytes turns spawns most_steps most_calls most_spawns sure)
EFFD_UNDER=("$DIR/bin/count" "$DIR/counts")
declare -A now before cost

look() { # reads the counts, as they are now
	local i=0 number
	for number in $(od -An -v -t u8 -w8 "$DIR/counts"); do
		now[${names[i]}]=$number
		i=$((i + 1))
	done
}
begin() {
	look
	local name
	for name in "${names[@]}"; do before[$name]=${now[$name]}; done
}
# What has been counted since, of that act at this size.
count() { # ACT
	look
	local name
	for name in steps calls sure bytes turns spawns; do
		cost[$1,$n,$name]=$((now[$name] - before[$name]))
	done
	begin
}

children() { pgrep -P "${now[pid]}" -x family; }
all_began_anew() {
	look
	[ $((now[spawns] - before[spawns])) -ge "$n" ] && [ "$(children | wc -l)" -eq "$n" ]
}

sizes=(250 500 1000)
for n in "${sizes[@]}"; do
	for name in "${names[@]}"; do before[$name]=0; done
	effd_start <<TREE
version: 1
defaults: {restart: {backoff: {initial: 10ms, jitter: 0}}}
units:
$(seq -f "  u%.0f: {command: [$DIR/bin/family]}" "$n")
TREE
	count start
	children >"$DIR/old"
	same "children" "$(wc -l <"$DIR/old")" "$n"
	xargs kill -KILL <"$DIR/old"
	eventually all_began_anew
	count crash
	effd_stop
	count stop
done

for act in start crash stop; do
	for name in steps calls sure bytes turns spawns; do
		echo "$act: ${cost[$act,250,$name]} ${cost[$act,500,$name]} ${cost[$act,1000,$name]} $name"
	done
done

# For each of the thousand at most; one call more for each of them is seen. What a turn asks for, and what is shared by those that
# come together in one, is chance, and left out but where it has a bound of its own. So is how many of those that are told to stop
# have ended before it is looked for who is beside them: mostly all have, and then it is five calls less.
declare -A each=([start,sure]=27 [crash,sure]=37 [stop,sure]=16 [stop,calls]=22 [start,bytes]=180 [crash,bytes]=280
	[stop,bytes]=350 [start,spawns]=1 [crash,spawns]=1 [stop,spawns]=0 [start,turns]=2 [crash,turns]=2 [stop,turns]=2)
within() { # ACT N NAME
	local all=${cost[$1,$2,$3]} bound=${each[$1,$3]-}
	# A thread of effd's own is counted, too.
	[ "$3" != spawns ] || all=$((all - 1))
	[ -n "$bound" ] && [ "$all" -le $(($2 * bound)) ]
}
for key in "${!each[@]}"; do
	within "${key%,*}" 1000 "${key#*,}" ||
		fail "${key%,*} of 1000: ${cost[${key/,/,1000,}]} ${key#*,}, more than ${each[$key]} for each"
done

# Twice as many cost twice as much; what is quadratic costs four times. How many turns a busy machine makes of the same work is
# chance, and each asks the kernel for something. What is within its bound need not grow evenly.
declare -A most=([steps]=24 [calls]=30 [sure]=24 [bytes]=30 [turns]=30 [spawns]=20)
for act in start crash stop; do
	for name in steps calls sure bytes turns spawns; do
		for i in 1 2; do
			few=${cost[$act,${sizes[i - 1]},$name]} many=${cost[$act,${sizes[i]},$name]}
			[ "$many" -lt 3000 ] || [ $((many * 10)) -le $((few * most[$name])) ] || within "$act" "${sizes[i]}" "$name" ||
				fail "$act of ${sizes[i]}: $many $name, and $few for half as many"
		done
	done
done

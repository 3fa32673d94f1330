#!/bin/bash
# SPDX-License-Identifier: MIT
# A child runs on the terms that its unit says, and on no others; a term that cannot be granted ends the start with its name.
. "${0%/*}/lib.sh"
compile world family

world_of() { ctl --json logs "$1" | jq -r .text | sed '/^control group /d'; } # which is of its name
plain= # The world of a unit that asks for nothing: another one differs in what it asked for, and in nothing else.
differs() { # UNIT DIFFERENCE, in lines of diff's
	local got
	got=$(diff <(echo "$plain") <(world_of "$1") | grep '^[<>]' || true)
	same "what is different for $1" "$(grep '^>' <<<"$got" | cut -c 3-)" "$2"
}
end_of() { field "$1" '"\(.last_exit.kind) \(.last_exit.text)"'; }

cpu=$(awk '/^Cpus_allowed_list:/ { split($2, first, /[-,]/); print first[1] }' /proc/self/status)
root_units=
[ "$(id -u)" -ne 0 ] || root_units="
  before: {command: $DIR/bin/world, priority: {nice: -4, ionice: realtime, sched: {policy: rr, priority: 3}}}
  bounded: {command: $DIR/bin/world, security: {capabilities: [CHOWN, net_bind_service]}}
  nothing: {command: $DIR/bin/world, security: {capabilities: []}}
  granted:
    command: $DIR/bin/world
    user: nobody
    security: {ambient: [NET_BIND_SERVICE], capabilities: [NET_BIND_SERVICE, KILL], no_new_privileges: true}
  asked: {command: $DIR/bin/world, user: nobody, security: {capabilities: [CHOWN]}}
  spared: {command: $DIR/bin/world, user: nobody, priority: {oom_score_adj: 1}}"
ulimit -S -n 512
hard=$(ulimit -H -n)
core=$(ulimit -H -c)
[ "$core" != unlimited ] || core=-1
effd_start <<TREE
version: 1
defaults: {type: oneshot, log: {stdout: ring}, restart: no}
units:
  plain: {command: $DIR/bin/world}
  limited:
    command: $DIR/bin/world
    limits: {nofile: 100, cpu: 1h, fsize: {soft: 64MiB}, stack: {soft: 4MiB, hard: 16MiB}, nproc: {hard: 4000}}
  above:
    command: $DIR/bin/world
    limits: {nofile: {soft: 400}}
  low: {command: $DIR/bin/world, limits: {nofile: {hard: 64}}}
  behind: {command: $DIR/bin/world, priority: {nice: 7, oom_score_adj: 900, ionice: idle, sched: batch}}
  within: {command: $DIR/bin/world, priority: {ionice: {class: best-effort, level: 7}, cpus: "$cpu"}}
  narrow: {command: $DIR/bin/world, security: {no_new_privileges: true}}
  nowhere: {command: $DIR/bin/world, priority: {cpus: 1000-1023}}$root_units
TREE
plain=$(world_of plain)
matches "the plain one's limits" "$plain" "^limit nofile 512 $hard\$"
fsize=$(sed -n 's/^limit fsize .* //p' <<<"$plain")
differs limited "limit cpu 3600 3600
limit fsize $((64 << 20)) $fsize
limit nofile 100 100
limit nproc $(awk '/^limit nproc/ { print ($3 == -1 || $3 > 4000) ? 4000 : $3 }' <<<"$plain") 4000
limit stack $((4 << 20)) $((16 << 20))"
differs above "limit nofile 400 $hard"
differs low "limit nofile 64 64"
differs behind "oom score 900
nice 7
io 3 0
scheduler 3 0"
differs within "status Cpus_allowed_list: $cpu
io 2 7"
differs narrow "status NoNewPrivs: 1"
capabilities_of() { world_of "$1" | sed -nE 's/^status Cap(...): 0*([0-9a-f]+)$/\1 \2/p' | paste -sd ' '; }
same "one for processors that are not there" "$(end_of nowhere)" "exec_error priority: EINVAL (Invalid argument): cpus"
if [ -n "$root_units" ]; then
	differs before "nice -4
io 1 4
scheduler 2 3"
	same "root with two capabilities" "$(capabilities_of bounded)" "Inh 0 Prm 401 Eff 401 Bnd 401 Amb 0"
	same "root with none" "$(capabilities_of nothing)" "Inh 0 Prm 0 Eff 0 Bnd 0 Amb 0"
	same "a user with one" "$(capabilities_of granted)" "Inh 400 Prm 400 Eff 400 Bnd 420 Amb 400"
	matches "that user" "$(world_of granted)" "^uids $(id -u nobody) $(id -u nobody) $(id -u nobody)\$"
	matches "that user's flag" "$(world_of granted)" "^status NoNewPrivs: 1\$"
	same "a user that may have one, and has none" "$(capabilities_of asked)" "Inh 0 Prm 0 Eff 0 Bnd 1 Amb 0"
	same "the score of one with a user" "$(world_of spared | grep '^oom')" "oom score 1"
fi

# What effd may not grant is refused before anything starts, or is the cause of the end.
sed -i "s/nofile: {soft: 400}/nofile: {soft: 500}/" "$TREE"
same "what a change of a limit does" "$(ctl --json plan | jq -c '.changes[] | [.unit, .action, .fields]')" \
	'["above","restart",["limits.nofile"]]'
expect_exit 0 ctl show above
matches "what is shown" "$OUT" "nofile"
sed -i "s/nofile: {soft: 500}/nofile: {soft: $((hard + 1))}/" "$TREE"
if [ "$(id -u)" -eq 0 ]; then
	expect_exit 1 ctl reload
	wait_for failed above
	same "one above the hard limit" "$(end_of above)" "exec_error rlimit: EINVAL (Invalid argument): nofile"
else
	expect_exit 1 ctl reload
	matches "the refusal" "$ERR" "E220.*only root may raise .limits.nofile. above the hard limit"
fi
effd_stop

# Root that may not do all that root may, as in a container: what is refused ends the start, and is named.
[ -n "$root_units" ] || exit 0
need setpriv
less=-sys_resource,-sys_nice,-setpcap,-net_raw
EFFD_UNDER=(setpriv --bounding-set=$less --inh-caps=$less)
effd_start <<TREE
version: 1
defaults: {type: oneshot, log: {stdout: ring}, restart: no}
units:
  nofile: {command: $DIR/bin/world, limits: {nofile: $((hard + 1))}}
  nice: {command: $DIR/bin/world, priority: {nice: -4}}
  io: {command: $DIR/bin/world, priority: {ionice: {class: realtime, level: 0}}}
  sched: {command: $DIR/bin/world, priority: {sched: {policy: fifo, priority: 3}}}
  oom: {command: $DIR/bin/world, priority: {oom_score_adj: -1000}}
  bounding: {command: $DIR/bin/world, security: {capabilities: [CHOWN]}}
  ambient: {command: $DIR/bin/world, security: {ambient: [NET_RAW]}}
  well: {command: $DIR/bin/world}
TREE
refused() { # UNIT STAGE ERRNO WHAT
	matches "the end of $1" "$(end_of "$1")" "^exec_error $2: $3 \([A-Za-z ]+\): $4\$"
	same "$1 has run nothing" "$(world_of "$1")" ""
}
refused nofile rlimit EPERM nofile
refused nice priority EACCES nice
refused sched priority EPERM sched
refused oom priority EACCES oom_score_adj
refused bounding security EPERM capabilities
refused ambient security EPERM ambient
same "the one that is well" "$(state well)" done
matches "one that may use disks first, where CAP_SYS_ADMIN is enough for it" "$(state io)" '^(done|failed)$'
effd_stop

# A user that was given a capability: it gives it to whom it was told to, and to nobody else.
mkdir "$DIR/user"
chown 12345 "$DIR/user"
SOCKET=$DIR/user/control.sock
EFFD_UNDER=(setpriv --reuid 12345 --regid 12345 --clear-groups --inh-caps=+net_bind_service
	--ambient-caps=+net_bind_service --)
effd_launch <<TREE
version: 1
defaults: {type: oneshot, log: {stdout: ring}, restart: no}
units:
  plain: {command: $DIR/bin/world}
  granted: {command: $DIR/bin/world, security: {ambient: NET_BIND_SERVICE}}
TREE
wait_for done plain granted
same "one that did not ask" "$(capabilities_of plain | sed 's/ Bnd.* Amb/ Amb/')" "Inh 400 Prm 0 Eff 0 Amb 0"
same "one that asked" "$(capabilities_of granted | sed 's/ Bnd.* Amb/ Amb/')" "Inh 400 Prm 400 Eff 400 Amb 400"
sed -i 's/ambient: NET_BIND_SERVICE/ambient: NET_RAW/' "$TREE"
expect_exit 1 ctl reload
matches "what it does not have itself" "$ERR" "E220.*only root may grant NET_RAW, which effd does not have"
effd_stop

# SPDX-License-Identifier: MIT
# What a test under systemd begins with, after ../lib.sh: a real systemd that runs the installed effd.service, as PID 1 of
# namespaces of its own, below a control group of its own. The test's folder is /test there.
need_apart
need systemctl nsenter unshare
[ -x /lib/systemd/systemd ] || skip "needs systemd"
root=$(cd "$here/../.." && pwd)
BOOT= # unshare's pid
INIT= # systemd's

# ── Beginning ──

group_make() { # sets GROUP, a control group below the one that the test is in
	local here_now
	mkdir "$DIR/cgroup"
	mount -t cgroup2 cgroup2 "$DIR/cgroup" 2>/dev/null || skip "needs control groups of version 2"
	here_now=$(sed -n 's/^0:://p' /proc/self/cgroup)
	GROUP=$DIR/cgroup$here_now/${DIR##*/}
	mkdir "$GROUP" 2>/dev/null || skip "needs to make control groups"
}

boot() { # [bare]: with nothing of effd's, so that packages can be installed
	local word= part prefix= told end=$((SECONDS + limit))
	group_make
	if [ "${1-}" != bare ]; then
		prefix=$DIR/stage/usr/local
		BUILD=$BUILD DESTDIR=$DIR/stage PREFIX=/usr/local "$root/scripts/install"
	fi
	mkdir -p "$DIR/root"
	mkfifo "$DIR/booted"
	cp "$here/systemd/service" "$DIR"
	: >"$DIR/starts"
	# The group is the root of what systemd sees. unshare itself waits outside of it.
	(
		echo "$BASHPID" >"$GROUP/cgroup.procs"
		exec unshare --cgroup --mount unshare --fork --kill-child --pid --uts --ipc \
			sh "$here/systemd/boot" "$DIR/root" "$DIR" ${prefix:+"$prefix"}
	) </dev/null >"$DIR/effd-boot.log" 2>&1 &
	BOOT=$!
	new_fifo
	exec {told}<>"$DIR/booted"
	until [ "$word" = booted ] || [ "$SECONDS" -ge "$end" ]; do
		kill -0 "$BOOT" 2>/dev/null || skip "cannot boot a systemd here: $(tail -n 1 "$DIR/effd-boot.log")"
		# A read whose time is up gives what has come until then.
		read -r -t 0.1 -u "$told" part || true
		word+=$part
	done
	exec {told}<&-
	[ "$word" = booted ] || fail "systemd has not booted: $(tail -n 5 "$DIR/effd-boot.log")"
	INIT=$(init)
}

init() { awk '{ print $1 }' "/proc/$BOOT/task/$BOOT/children" 2>/dev/null || true; } # unshare's one child

inside() { nsenter -t "$INIT" -m -p -C -u -i -- "$@"; } # COMMAND…, as root of the machine that was booted
as_user() { # COMMAND…, as somebody else
	inside setpriv --reuid 4242 --regid 4242 --clear-groups env -i PATH="$PATH" HOME=/home/tester \
		XDG_RUNTIME_DIR=/run/user/4242 "$@"
}
tree() { inside sh -c 'mkdir -p /etc/effd && cat >/etc/effd/effd.yaml'; } # on standard input

# Settings of a unit beside those that are installed, on standard input: that the test need not wait for minutes.
drop_in() { # UNIT
	inside sh -c "mkdir -p /etc/systemd/system/$1.d && cat >/etc/systemd/system/$1.d/test.conf && systemctl daemon-reload"
}

# ── Looking ──

property() { inside systemctl show -P "$2" "$1"; } # UNIT NAME

# systemctl has no way to wait for a property: it is asked again, not too often.
pause() { read -r -t 0.05 <>"$FIFO" || true; }

await_inside() { # COMMAND…, until it ends with 0
	local end=$((SECONDS + limit))
	until inside "$@" 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || fail "still not so: $*"
		pause
	done
}

# Until so many microseconds after the boot of the kernel, as systemd counts them.
until_uptime() {
	local now
	until read -r now _ </proc/uptime && [ "$((${now/./} * 10000))" -gt "$1" ]; do pause; done
}

# Wait until a property of a unit matches.
await_property() { # UNIT NAME PATTERN, an extended regular expression of the whole
	local value end=$((SECONDS + limit))
	until value=$(property "$1" "$2") && [[ $value =~ ^($3)$ ]]; do
		[ "$SECONDS" -lt "$end" ] || fail "$2 of $1 is $value, not $3:"$'\n'"$(journal -n 30)"
		pause
	done
}

journal() { inside journalctl -q --no-pager "$@"; }
ctl_inside() { inside timeout -k 5 "$limit" /usr/local/bin/effctl "$@"; }
unit_pid() { ctl_inside --json status "$1" | jq -r '.units[0].pid'; } # UNIT, a number of the inner namespace

# Of the units that are /test/service.
await_starts() { # NAME NUMBER
	local end=$((SECONDS + limit))
	until [ "$(grep -c "^$1 " "$DIR/starts")" -ge "$2" ]; do
		[ "$SECONDS" -lt "$end" ] || fail "$1 has not started $2 times: $(paste -sd ';' "$DIR/starts")"
		pause
	done
}
no_doubles() { [ ! -e "$DIR/doubles" ] || fail "ran twice at one time: $(paste -sd ' ' "$DIR/doubles")"; }

# ── The end ──

power_off() { # ends with 1 when control groups are left
	local status=0
	# When systemd ends, all below it has gone before unshare is told.
	[ -z "$BOOT" ] || kill -KILL "$(init)" 2>/dev/null || kill -KILL "$BOOT" 2>/dev/null || true
	[ -z "$BOOT" ] || wait "$BOOT" 2>/dev/null || true
	[ -z "${GROUP-}" ] || find "$GROUP" -depth -type d -exec rmdir {} + || status=1
	! mountpoint -q "$DIR/cgroup" || umount -l "$DIR/cgroup"
	rm -f "$DIR/booted"
	rm -rf "$DIR/stage"
	return "$status"
}
end() {
	local status=$1
	trap - ERR
	[ "$status" -eq 0 ] || [ "$status" -eq 77 ] || [ -z "$INIT" ] || [ -z "$(init)" ] || journal -n 60 >"$DIR/effd-journal.log" 2>&1 || true
	power_off || { echo "FAIL: control groups are left" >&2; status=1; }
	(exit "$status")
	finish
}
trap 'end $?' EXIT

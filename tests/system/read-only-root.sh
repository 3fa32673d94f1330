#!/bin/bash
# SPDX-License-Identifier: MIT
# A container that cannot be written, of root or of a user without a name: the tree runs, reloads, logs and stops, with a control
# socket where one can be put, and without where none can; a place that was named is needed.
. "${0%/*}/lib.sh"
need_apart
need setpriv nsenter
cp "$BUILD/effd" "$BUILD/effctl" "$DIR/bin"
mkdir "$DIR/conf"
TREE=$DIR/conf/tree.yaml
cat >"$TREE" <<'END'
version: 1
name: app
units:
  says: {shell: "echo hello; exec sleep infinity"}
  kept: {shell: "echo lost; echo said >&2; exec sleep infinity", log: {stdout: file, stderr: inherit}}
  fd: {type: notify-fd, shell: "echo >&3; exec sleep infinity"}
  told: {type: notify, command: [sleep, infinity]}
END
cat >"$DIR/box" <<'END'
#!/bin/sh
mount -o remount,bind,ro / && mount -t tmpfs -o ro none /run || exit 70
mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp || exit 70
mount -t tmpfs -o "$1" none /dev/shm || exit 70
shift
exec "$@"
END
chmod 755 "$DIR/box"
box() { # OPTIONS of /dev/shm, UID, COMMAND…
	exec timeout "$limit" unshare --fork --pid --mount --mount-proc --kill-child "$DIR/box" "$1" \
		setpriv --reuid "$2" --regid "$2" --clear-groups env -i "PATH=$PATH" "${@:3}"
}
begin() { # OPTIONS UID ARGS…
	: >"$DIR/effd.log"
	: >"$DIR/effd.out"
	box "$1" "$2" "$DIR/bin/effd" -c "$TREE" "${@:3}" >>"$DIR/effd.out" 2>>"$DIR/effd.log" &
	EFFD=$!
	await_line "$DIR/effd.out" '^kept \| said$' >/dev/null
	await_line "$DIR/effd.out" '^says \| hello$' >/dev/null
	await_line "$DIR/effd.log" 'fd: starting -> up' >/dev/null
	await_line "$DIR/effd.log" 'kept: log_lost: 5 bytes lost: cannot write /.*/kept.log: Read-only file system' >/dev/null
	inner=$(processes_of effd)
}
exec_in() { # UID ARGS…, as `docker exec` does it
	nsenter -t "$inner" -m -p setpriv --reuid "$1" --regid "$1" --clear-groups env -i "PATH=$PATH" "$DIR/bin/effctl" "${@:2}"
}
ended() {
	kill -TERM "$inner"
	wait "$EFFD"
	EFFD=
	matches "how it ends" "$(cat "$DIR/effd.log")" 'app has stopped$'
}

for uid in 0 54321; do
	# As a container of Docker's is with --read-only.
	begin mode=1777 "$uid"
	matches "where" "$(cat "$DIR/effd.log")" "control socket /dev/shm/effd-$uid/control.sock; look with: effctl status\$"
	expect_exit 0 exec_in "$uid" ping
	expect_exit 0 exec_in "$uid" status says kept fd
	expect_exit 0 exec_in "$uid" reload
	ended

	begin ro "$uid"
	same "it is said once" "$(grep -c 'without a control socket, for no place of one can be written to' "$DIR/effd.log")" 1
	matches "what cannot be without" "$(cat "$DIR/effd.log")" \
		'told: starting -> backoff: exec error: socket: .*: without a control socket there is no folder for one to notify by, either$'
	expect_exit 5 exec_in "$uid" ping
	matches "where effctl has looked" "$ERR" "nor at /dev/shm/effd-$uid/control.sock"
	sed -i 's/echo hello/echo anew/' "$TREE"
	kill -HUP "$inner"
	await_line "$DIR/effd.out" '^says \| anew$' >/dev/null
	sed -i 's/echo anew/echo hello/' "$TREE"
	ended

	in_box() { (box "$@"); }
	expect_exit 1 in_box ro "$uid" "$DIR/bin/effd" -c "$TREE" --socket /run/effd/sock
	expect_exit 1 in_box ro "$uid" env EFFD_SOCKET=/run/effd/sock "$DIR/bin/effd" -c "$TREE"
	{ cat "$TREE"; echo 'daemon: {socket: /run/effd/sock}'; } >"$DIR/conf/named.yaml"
	expect_exit 1 in_box ro "$uid" "$DIR/bin/effd" -c "$DIR/conf/named.yaml"
	matches "what is said of a place that was named" "$ERR" '^effd: error: cannot .*/run/effd.*: '
done

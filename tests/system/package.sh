#!/bin/bash
# SPDX-License-Identifier: MIT
# The Debian packages: lintian finds no fault, they can be installed where there is no tree and harm nothing, a service
# and a program run with what is in them, an upgrade leaves services alone, and a purge leaves nothing but trees.
. "${0%/*}/lib.sh"
. "${0%/*}/systemd/lib.sh"
need dpkg-buildpackage dh lintian pkg-config
# How they are made is the matter here, and not how well they are optimized, which takes longer.
DEB_CFLAGS_APPEND="-O1 -g1" expect_exit 0 "$root/scripts/deb" "$DIR/deb"
same "the packages" "$(cd deb && ls -- *.deb | sed 's/_.*//' | paste -sd ' ' -)" "effd libeff-dev libeff0"
same "their symbols, apart" "$(cd deb/debug && ls -- *.deb | sed 's/_.*//' | paste -sd ' ' -)" "effd-dbgsym libeff0-dbgsym"
debs=(deb/*.deb)
debs=("${debs[@]/#//test/}")
boot bare
# What packages of the machine do when something is installed is not the matter here, but for the loader's cache.
dpkg_inside() { inside sh -c 'dpkg --no-triggers "$@" && dpkg --triggers-only libc-bin' - "$@"; }

# ── Installed, without a tree ──

expect_exit 0 dpkg_inside -i "${debs[@]}"
same "without a tree" "$(property effd ActiveState) $(property effd ConditionResult) $(property effd UnitFileState)" "inactive no enabled"
same "what has failed" "$(inside systemctl list-units --failed --plain --no-legend)" ""
inside dpkg -L effd libeff0 libeff-dev | sort -u >all-paths
grep -qx /usr/bin/effd all-paths

# ── At work ──

cat >hello.c <<'C'
#include <eff.h>
#include <effd/fiber.h>
static eff_exit hello(void *arg) { return eff_sleep(EFF_MS(*(int *)arg)) == 0 ? eff_ok(NULL) : eff_fail(1); }
int main(void) { int ms = 1; return eff_main(EFF(hello, &ms), NULL); }
C
expect_exit 0 inside sh -c 'cc -Wall -Werror -o /test/hello /test/hello.c $(pkg-config --cflags --libs eff) && /test/hello'
matches "what it loads" "$(inside ldd /test/hello)" 'libeff\.so\.0 => /(usr/)?lib/'
tree <<<$'version: 1\nunits: {one: {command: [/test/service, one]}}'
inside cp /etc/effd/effd.yaml /etc/effd/two.yaml
inside sed -i 's/one/two/g' /etc/effd/two.yaml
expect_exit 0 inside systemctl start effd effd@two
for name in one two; do await_starts "$name" 1; done
pid=$(property effd MainPID)
matches "its unit" "$(inside effctl status)" '^one +up'

# ── The same again, as an upgrade would ──

expect_exit 0 dpkg_inside -i "${debs[@]}"
same "after an upgrade" "$(property effd MainPID) $(property effd ActiveState) $(property effd@two ActiveState)" "$pid active active"
same "starts of its unit" "$(grep -c . starts)" 2

# ── Gone ──

expect_exit 0 dpkg_inside -r effd libeff-dev libeff0
same "what is left of the services" "$(inside pgrep -f '[s]leep 1000000' || true)" ""
same "where they have stopped" "$(grep -c . stops)" 2
expect_exit 0 inside dpkg --no-triggers -P effd libeff-dev libeff0
same "packages" "$(inside dpkg-query -W -f '${Package} ${db:Status-Status}\n' effd 'libeff*' 2>/dev/null | grep -v not-installed || true)" ""
inside sh -c 'while read -r path; do [ -d "$path" ] || [ ! -e "$path" ] || echo "$path"; done </test/all-paths' >left
same "files that are left" "$(<left)" ""
same "folders that are left" "$(inside sh -c 'ls -d /var/log/effd /var/lib/effd /usr/share/doc/effd /usr/include/eff* 2>/dev/null' || true)" ""
same "the administrator's trees" "$(inside ls /etc/effd | paste -sd ' ' -)" "effd.yaml two.yaml"
same "links that are left" "$(inside find /etc/systemd -name '*effd*')" ""

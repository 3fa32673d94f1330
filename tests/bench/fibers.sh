#!/bin/bash
# SPDX-License-Identifier: MIT
# libeff beside what else switches between many things in one thread, and beside what is left when nothing but that is done
# (others/limit.c). Each measure is a process, all take turns round by round, and the best round counts. What is not installed is
# skipped: libpth-dev, libboost-context-dev, golang-go, python3. Prints `measure.library value unit`. BENCH_ROUNDS is a number.
set -euo pipefail
: "${BUILD:?is the folder of tests/bench/fibers}"
here=$(cd "${0%/*}" && pwd)/others
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
libraries=(libeff limit)
skipped() { echo "fibers: $1 is skipped: $2" >&2; }

build() { # LIBRARY FLAGS…: from its driver, where that is to be had
	local library=$1
	shift
	if "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -o "$dir/$library" "$here/$library.c" "$@" 2>"$dir/why"; then
		libraries+=("$library")
	else
		skipped "$library" "$(grep -m 1 -E 'error|cannot' "$dir/why")"
	fi
}
ln -s "$BUILD/tests/bench/fibers" "$dir/libeff"
"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -o "$dir/limit" "$here/limit.c"
build boost -lboost_context
build ucontext
build pth -lpth
build threads -pthread
if command -v go >/dev/null; then
	GOCACHE=$dir/cache GO111MODULE=off go build -o "$dir/go" "$here/goroutines.go" && libraries+=(go)
else
	skipped go "it is not installed"
fi
if command -v python3 >/dev/null; then
	printf '#!/bin/sh\nexec python3 %s "$@"\n' "$here/tasks.py" >"$dir/asyncio"
	chmod +x "$dir/asyncio"
	libraries+=(asyncio)
else
	skipped asyncio "python3 is not installed"
fi

for _ in $(seq "${BENCH_ROUNDS:-5}"); do
	for measure in switch message fork_await live sleep; do
		for library in "${libraries[@]}"; do
			timeout 120 "$dir/$library" "$measure" | sed "s/^/$library /" || true
		done
	done
done >"$dir/all"

# A line for each, and after those of a measure how many times libeff's that is of the least of the others.
awk '
	{ key = $2 SUBSEP $1; if (!(key in best) || $3 < best[key]) best[key] = $3; unit[$2] = $4
	  if (!($2 in known)) { known[$2] = 1; order[++n] = $2 }
	  if (!($1 in is)) { is[$1] = 1; library[++m] = $1 } }
	END { for (i = 1; i <= n; i++) {
		name = order[i]
		for (k = 1; k <= m; k++) if ((name, library[k]) in best)
			printf "fibers_%s.%s %s %s\n", name, library[k], best[name, library[k]], unit[name]
		for (k = 2; k <= m; k++) if ((name, library[k]) in best && (name, "libeff") in best)
			printf "fibers_%s.libeff_by_%s %.2f times\n", name, library[k],
				best[name, "libeff"] / best[name, library[k]]
	} }' "$dir/all"

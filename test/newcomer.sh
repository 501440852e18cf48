#!/usr/bin/env bash
# What a newcomer does, timed: a fresh clone in an empty folder, the README's commands, a first token. Then
# the start is measured again five times. Run it on an idle machine:
#   test/newcomer.sh [REPOSITORY]      default: the repository of this file
# It fails when the first token takes more than 10 s from the start command (dependencies installed), or when
# the median of five later starts is 1.5 s or more until discovery answers.
set -euo pipefail
repository=${1:-$(cd "$(dirname "$0")/.." && pwd)}
folder=$(mktemp -d)
server=
port=$((20000 + RANDOM % 20000))
issuer=http://localhost:$port

stop() {
	[ -n "$server" ] || return 0
	kill -TERM -- "-$server" 2>/dev/null || true
	# npm goes before the server under it does; the port is free when the whole group is gone.
	while kill -0 -- "-$server" 2>/dev/null; do sleep 0.02; done
	server=
}
trap 'stop; rm -rf "$folder"' EXIT

now() { date +%s%3N; }

start() {
	begun=$(now)
	# A process group of its own, so that npm and the server under it are stopped together.
	set -m
	PORTICO_HTTP__PORT=$port PORTICO_ISSUER=$issuer npm start >"$folder/start.log" 2>&1 </dev/null &
	server=$!
	set +m
}

ready() {
	local deadline=$(($(now) + 15000))
	until curl -fsS -o /dev/null "$issuer/.well-known/openid-configuration" 2>/dev/null; do
		if [ "$(now)" -gt "$deadline" ] || ! kill -0 "$server" 2>/dev/null; then
			echo "The server did not start:" >&2
			cat "$folder/start.log" >&2
			exit 1
		fi
		sleep 0.02
	done
}

git clone -q "$repository" "$folder/portico"
cd "$folder/portico"
npm ci --silent --no-audit --no-fund </dev/null

start
ready
# The curl that the start block offers for VSee, as a newcomer pastes it.
command=$(grep -m1 -E '^\s*curl .*/api_v3/users/login' "$folder/start.log" | sed 's/^ *//')
[ -n "$command" ] || { echo "The start block offers no curl for VSee:" >&2; cat "$folder/start.log" >&2; exit 1; }
answer=$(bash -c "$command" 2>/dev/null)
first=$(($(now) - begun))
grep -q '"token"' <<<"$answer" || { echo "No token from: $command" >&2; echo "$answer" >&2; exit 1; }
stop

times=()
for _ in 1 2 3 4 5; do
	start
	ready
	times+=($(($(now) - begun)))
	stop
done
median=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 3p)

echo "first token after ${first} ms; later starts ${times[*]} ms, median ${median} ms"
[ "$first" -le 10000 ] && [ "$median" -lt 1500 ]

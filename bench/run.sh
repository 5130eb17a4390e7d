#!/usr/bin/env bash
# Runs the baselines and your own gateway one after another on loopback and writes JSON lines to $OUT.
#   run.sh [json|invoke|stream|mem|big|gql|failover|all] [rounds]
# Builds its own upstream, loadgen and goproxy. Needs from Debian: nginx-light haproxy wrk. Scratch: $BENCH_DIR (a temporary folder unless set).
# fwbearer and fwsigv4 are fairway serve with its bedrock upstream at the mock, with bearer keys or signatures on both sides; it is built here.
# fwgql, of gql, is fairway dev on a copy of the built-in sample, its simulated regions instant, asked with the test user's token.
# Put your own gateway in: OWN_URL=http://127.0.0.1:PORT OWN_PID=pid  (OpenAI path /v1/chat/completions, Bedrock path /model/ID/converse-stream)
set -u
B=$(cd "$(dirname "$0")" && pwd); P=${BENCH_DIR:-$(mktemp -d)}; L=$P/logs; mkdir -p "$L" "$P/bin"
OUT=${OUT:-$P/results.jsonl}; WHAT=${1:-all}; ROUNDS=${2:-3}; D=${D:-8s}
LG="$P/bin/loadgen"; KIDS=()
# A process is ended only while its pid still has the start time noted when it was started (pids are reused).
st(){ sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
note(){ KIDS+=("$2:$(st "$2")"); echo "$2" >"$L/$1.pid"; }
up(){ n=$1; shift; "$@" >"$L/$n.log" 2>&1 & note "$n" $!; }
end(){ local p=${1%%:*} t=${1#*:}; [ -n "$t" ] && [ "$(st "$p")" = "$t" ] && kill "$p" 2>/dev/null; }
done_all(){ for k in "${KIDS[@]}"; do end "$k"; done; }
trap done_all EXIT
stopone(){ local p k; p=$(cat "$L/$1.pid"); for k in "${KIDS[@]}"; do [ "${k%%:*}" = "$p" ] && end "$k"; done; sleep 0.5; }
pidsof(){ p=$(cat "$L/$1.pid"); echo "$p $(pgrep -P "$p" | tr '\n' ' ')" | tr -s ' ' ',' | sed 's/,$//'; }
# calm: wait (at most CALM_MAX s) until the rest of the machine is quiet; loadgen also records other_pct.
calm(){ for _ in $(seq "${CALM_MAX:-12}"); do
  a=($(head -1 /proc/stat)); sleep 1; b=($(head -1 /proc/stat))
  busy=$(( (b[1]+b[2]+b[3]+b[7]+b[8])-(a[1]+a[2]+a[3]+a[7]+a[8]) )); (( busy < ${CALM_PCT:-40} )) && return; done; }
(cd "$B" && go build -o "$P/bin/" ./upstream ./loadgen ./goproxy && CGO_ENABLED=0 go build -o "$P/bin/fairway" ../cmd/fairway) || exit 1
export BENCH_BEARER=fairway-bench-bearer-key BENCH_SECRET=benchsecretbenchsecretbenchsecret AWS_EC2_METADATA_DISABLED=true
export AWS_ACCESS_KEY_ID=AKIABENCHBENCHBENCHX AWS_SECRET_ACCESS_KEY=benchsecret
# name -> url headers ; sets U H
start(){ case $1 in
  direct) U=http://127.0.0.1:9100; H=(); PIDS=$(pidsof up);;
  goproxy) up goproxy "$P/bin/goproxy"; U=http://127.0.0.1:9201; H=();;
  nginx) up nginx nginx -p "$P" -c "$B/cfg/nginx.conf"; U=http://127.0.0.1:9202; H=();;
  haproxy) up haproxy haproxy -f "$B/cfg/haproxy.cfg"; U=http://127.0.0.1:9203; H=();;
  fwbearer) up fwbearer "$P/bin/fairway" serve --config "$B/cfg/bearer.yaml"; U=http://127.0.0.1:9301; H=(-H "Authorization: Bearer $BENCH_BEARER");;
  fwsigv4) up fwsigv4 "$P/bin/fairway" serve --config "$B/cfg/sigv4.yaml"; U=http://127.0.0.1:9302; H=(-sigv4 "FWAKBENCHBENCHBENCHX:$BENCH_SECRET:ap-southeast-1");;
  fwgql) rm -rf "$P/app"; mkdir -p "$P/app"; cp -r "$B/../internal/sample/amplify" "$P/app/"; echo "log: {level: warn}" >"$P/app/fairway.yaml"
    up fwgql "$P/bin/fairway" dev --listen 127.0.0.1:9303 --speed instant "$P/app"; U=http://127.0.0.1:9303/graphql; H=(-jwt "$P/app");;
  own) U=$OWN_URL; H=(-H "Authorization: Bearer ${OWN_KEY:-sk-bench}"); PIDS=$OWN_PID;;
  esac; case $1 in direct|own) ;; nginx|haproxy|goproxy|fwbearer|fwsigv4) sleep 1; PIDS=$(pidsof "$1");; *) sleep 4; PIDS=$(pidsof "$1");; esac; }
stop(){ case $1 in direct|own) ;; *) stopone "$1";; esac; }
ctl(){ curl -s "http://127.0.0.1:9100/_ctl?$1" >/dev/null; }
PEERNAME=${OWN_NAME:-own}
rec(){ sed "s/^{/{\"test\":\"$1\",\"peer\":\"${2/#own/$PEERNAME}\",\"round\":$3,/" | tee -a "$OUT" | cut -c1-420; }
GW=${GW:-"direct goproxy fwbearer fwsigv4 ${OWN_URL:+own}"}; GQ=${GQ:-fwgql}
up up "$P/bin/upstream" -addr 127.0.0.1:9100; up upA "$P/bin/upstream" -addr 127.0.0.1:9101 -failpct 100; sleep 0.5; export BENCH_ALSO=$(cat "$L/up.pid"),$(cat "$L/upA.pid")

if [[ $WHAT = json || $WHAT = all ]]; then for r in $(seq "$ROUNDS"); do for g in $GW; do
  start "$g"; T=$U/v1/chat/completions; X=(-url "$T" -body "@$B/body/openai.json" "${H[@]}" -pids "$PIDS" -must '"finish_reason"')
  calm; $LG "${X[@]}" -c 1 -d 3s -warm 1s | rec seq1 "$g" "$r"
  calm; $LG "${X[@]}" -rate 200 -c 64 -d "$D" -warm 1s | rec rps200 "$g" "$r"
  calm; $LG "${X[@]}" -rate 500 -c 64 -d "$D" -warm 1s | rec rps500 "$g" "$r"
  calm; $LG "${X[@]}" -rate 2000 -c 128 -d "$D" -warm 1s | rec rps2000 "$g" "$r"
  calm; $LG "${X[@]}" -c 64 -d 4s -warm 1s | rec max64 "$g" "$r"
  echo "$g $(WRK_BODY=$B/body/openai.json wrk -t1 -c64 -d3s -s "$B/body/post.lua" "${H[@]}" "$T" | grep -E 'Requests/sec|Non-2xx' | tr '\n' ' ')" | tee -a "${OUT%.jsonl}.wrk.txt"
  stop "$g"; done; done; fi

M=${BENCH_MODEL:-apac.anthropic.claude-sonnet-4-20250514-v1:0}
if [[ $WHAT = invoke || $WHAT = all ]]; then for r in $(seq "$ROUNDS"); do for g in $GW; do
  start "$g"; X=(-url "$U/model/$M/invoke" -body "@$B/body/anthropic.json" "${H[@]}" -pids "$PIDS" -must '"stop_reason"')
  calm; $LG "${X[@]}" -c 1 -d 3s -warm 1s | rec inv_seq1 "$g" "$r"
  calm; $LG "${X[@]}" -rate 500 -c 64 -d "$D" -warm 1s | rec inv_rps500 "$g" "$r"
  calm; $LG "${X[@]}" -c 64 -d 4s -warm 1s | rec inv_max64 "$g" "$r"
  stop "$g"; done; done; fi

if [[ $WHAT = stream || $WHAT = all ]]; then for r in $(seq "$ROUNDS"); do for g in $GW; do
  start "$g"; ctl "chunks=50&interval=50ms"
  calm; $LG -stream -url "$U/v1/chat/completions" -body "@$B/body/openai-stream.json" "${H[@]}" -pids "$PIDS" -c 200 -ramp 2s -warm 1s -d 6s | rec sse200x20 "$g" "$r"
  calm; $LG -stream -url "$U/model/$M/converse-stream" -body "@$B/body/converse.json" "${H[@]}" -pids "$PIDS" -c 200 -ramp 2s -warm 1s -d 6s | rec bedrock200x20 "$g" "$r"
  ctl "chunks=500&interval=0"
  $LG -stream -url "$U/v1/chat/completions" -body "@$B/body/openai-stream.json" "${H[@]}" -pids "$PIDS" -c 32 -ramp 100ms -warm 1s -d 5s | rec ssemax32 "$g" "$r"
  ctl "chunks=50&interval=50ms"; stop "$g"; done; done; fi

# 1,000 streams at 20 chunks a second; then many held open that say little.
if [[ $WHAT = mem || $WHAT = all ]]; then
X=(-body "@$B/body/converse.json" -ramp 6s -warm 1s -d 6s)
for g in $GW; do
  start "$g"; ctl "chunks=400&interval=50ms"; calm
  $LG -stream -url "$U/model/$M/converse-stream" "${X[@]}" "${H[@]}" -pids "$PIDS" -c 1000 | rec bedrock1000x20 "$g" 1
  ctl "chunks=50&interval=50ms"; stop "$g"; sleep 1; done
for c in 1000 5000; do for g in $GW; do
  start "$g"; ctl "chunks=120&interval=1s"
  $LG -stream -url "$U/model/$M/converse-stream" "${X[@]}" "${H[@]}" -pids "$PIDS" -c "$c" | rec "open$c" "$g" 1
  ctl "chunks=50&interval=50ms"; stop "$g"; sleep 1; done; done; fi

# Memory under 500 concurrent bodies of 25 MB: what there is no room for is throttled, the rest answered.
if [[ $WHAT = big || $WHAT = all ]]; then for g in $GW; do
  start "$g"; head -c 24999000 /dev/zero | tr '\0' x | sed 's/^/{"anthropic_version":"bedrock-2023-05-31","max_tokens":1,"messages":[{"role":"user","content":"/; s/$/"}]}/' >"$P/big.json"
  $LG -url "$U/model/$M/invoke" -body "@$P/big.json" "${H[@]}" -pids "$PIDS" -c 500 -d 10s -warm 5s | rec big500 "$g" 1
  stop "$g"; done; fi

if [[ $WHAT = gql || $WHAT = all ]]; then for r in $(seq "$ROUNDS"); do for g in $GQ ${OWN_GQL:+owngql}; do
  if [[ $g = owngql ]]; then U=$OWN_GQL; PIDS=$OWN_PID; H=(-H "x-api-key: ${OWN_KEY:-da2-benchkey0000000000000000}"); else start "$g"; fi
  X=(-url "$U" -body "@$B/body/gql.json" "${H[@]}" -pids "$PIDS" -must '"askBedrock":{"body":"')
  calm; $LG "${X[@]}" -c 1 -d 3s -warm 2s | rec gql_seq1 "$g" "$r"
  calm; $LG "${X[@]}" -rate 200 -c 64 -d "$D" | rec gql_rps200 "$g" "$r"
  calm; $LG "${X[@]}" -rate 500 -c 64 -d "$D" | rec gql_rps500 "$g" "$r"
  calm; $LG "${X[@]}" -c 32 -d 4s -warm 2s | rec gql_max32 "$g" "$r"
  [[ $g = owngql ]] || stop "$g"; done; done; fi

if [[ $WHAT = failover || $WHAT = all ]]; then for r in $(seq "$ROUNDS"); do
  start nginx; $LG -url "$U/fo/v1/chat/completions" -body "@$B/body/openai.json" -pids "$PIDS" -must '"finish_reason"' -rate 200 -c 64 -d 6s | rec failover200 nginx "$r"; stop nginx
  [[ -n ${OWN_FO_URL:-} ]] && { U=$OWN_FO_URL; PIDS=$OWN_PID; $LG -url "$U" -body "@$B/body/openai.json" -H "Authorization: Bearer ${OWN_KEY:-sk-bench}" -pids "$PIDS" -must '"finish_reason"' -rate 200 -c 64 -d 6s | rec failover200 own "$r"; }
done; fi

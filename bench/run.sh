#!/usr/bin/env bash
# Runs the baselines and your own gateway one after another on loopback and writes JSON lines to $OUT.
#   run.sh [json|invoke|stream|mem|big|gql|failover|added|all] [rounds]
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

# What a first region in trouble adds. Two Fairways at once, each with a load of its own: fwtwo calls the
# second region only, fwboth the first one and then the second. Region one is a mock of its own at :9103.
#   added CELL KIND AT_START THEN MODELS [SETTING=VALUE...]
added(){ [[ $1 =~ ${CELLS:-.} ]] || return 0; local cell=$1 kind=$2 at=$3 then=$4 models=$5 f=$P/added/$1.$2.$r; shift 5; local more=()
  ctl "latency=20ms&chunks=4&interval=0"; curl -s "http://127.0.0.1:9103/_ctl?latency=20ms&chunks=4&interval=0&failpct=0&retryafter=0&hang=0" >/dev/null
  [[ -n $at ]] && curl -s "http://127.0.0.1:9103/_ctl?$at" >/dev/null
  up fwtwo env FAIRWAY_LISTEN=127.0.0.1:9304 FAIRWAY_ORDER=ap-northeast-3,ap-northeast-1 "$P/bin/fairway" serve --config "$P/added/two/fairway.yaml"
  up fwboth env FAIRWAY_LISTEN=127.0.0.1:9305 FAIRWAY_ORDER=ap-northeast-1,ap-northeast-3 "$@" "$P/bin/fairway" serve --config "$P/added/both/fairway.yaml"
  for g in fwtwo fwboth; do for _ in $(seq 50); do grep -q ready "$L/$g.log" && break; sleep 0.1; done; done
  [[ -n $then ]] && more=(-then "http://127.0.0.1:9103/_ctl?$then")
  X=(-body "@$B/body/converse.json" -H "Authorization: Bearer $BENCH_BEARER" -rate "${R:-200}" -d "$D" -within 15s)
  calm; local own=; [[ $cell = 0-well ]] && { $LG "${X[@]}" -url "http://127.0.0.1:9100/model/m/$kind" -c 64 -warm 4s -log "$f.direct.log" >/dev/null & own=$!; }
  $LG "${X[@]}" -url "http://127.0.0.1:9304/model/jp.anthropic.claude-opus-4-8/$kind" -c 64 -warm 4s -log "$f.two.log" >/dev/null & own="$own $!"
  PIDS=$(pidsof fwboth),$(pidsof fwtwo)
  $LG "${X[@]}" -url "http://127.0.0.1:9305/model/$models/$kind" -c 2000 -warm "${WARM:-4s}" -log "$f.both.log" -pids "$PIDS" "${more[@]}" | tee "$f.json" | rec "added_${cell}_$kind" fwboth "$r"
  wait $own; for g in fwboth fwtwo; do stopone "$g"; for _ in $(seq 50); do [[ -e /proc/$(cat "$L/$g.pid") ]] || break; sleep 0.1; done; done; }
if [[ $WHAT = added || $WHAT = all ]]; then
up one "$P/bin/upstream" -addr 127.0.0.1:9103; export BENCH_ALSO=$BENCH_ALSO,$(cat "$L/one.pid")
for g in two both; do mkdir -p "$P/added/$g"; cp "$B/cfg/added.yaml" "$P/added/$g/fairway.yaml"; done
one=jp.anthropic.claude-opus-4-8 # each model has breakers and quotas of its own, and each of nine meets the fault anew
nine=$(IFS=,; set -- $one jp.anthropic.claude-{haiku-4-5-20251001-v1:0,haiku-5-5,opus-4-7,opus-5,opus-5-5,sonnet-4-5-20250929-v1:0,sonnet-4-6,sonnet-5}; echo "{$*}")
off=(FAIRWAY_BREAKER_FAILURES=1000000 FAIRWAY_BREAKER_OPEN_FOR=1ns FAIRWAY_BREAKER_MAX_OPEN_FOR=1ns)
closed=FAIRWAY_BEDROCK_ENDPOINTS=ap-northeast-1=http://127.0.0.1:9109,ap-northeast-3=http://127.0.0.1:9100
for r in $(seq "$ROUNDS"); do for k in converse-stream converse; do
  added 0-well $k "" "" $one
  added 1-refused.each $k "" "" "$nine" "${off[@]}" $closed
  added 1-refused.all $k "" "" $one $closed
  added 2-throttled.each $k "" "latency=0&failpct=100" "$nine" "${off[@]}"
  added 2-throttled.all $k "" "latency=0&failpct=100" $one
  added 3-throttled-1s.each $k "" "latency=0&failpct=100&retryafter=1" "$nine" "${off[@]}"
  added 3-throttled-1s.all $k "" "latency=0&failpct=100&retryafter=1" $one
  added 4-hung.each $k "" "hang=1" "$nine" "${off[@]}" FAIRWAY_HEDGE_BUDGET=1
  added 5-hung.all $k "" "hang=1" $one
  added 6-hung-budget-1.all $k "" "hang=1" $one FAIRWAY_HEDGE_BUDGET=1
  added 7-hung-no-order.all $k "" "hang=1" $one FAIRWAY_ORDER=
  WARM=0s added 8-hung-from-start.all $k "hang=1" "" $one
done; done
stopone one; ctl "latency=0&chunks=50&interval=50ms"; python3 "$B/added.py" "$P/added"; fi

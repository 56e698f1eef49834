#!/bin/sh
# Fuzzes the OSM reader for a time, under a limit of 512 MB, on the stable toolchain.
#
#   sh tests/fuzz/run.sh SECONDS [SEED]   prints executions, edges covered and the seed; a finding ends it with an error
#   sh tests/fuzz/run.sh FILE             reads one file, e.g. a finding
#
# What it learns stays in target/fuzz-corpus for the next time, unless a SEED asks for a run from the seeds alone.
set -eu
cd "$(dirname "$0")/../.."
what=${1:?seconds or a file}
target=${CARGO_TARGET_DIR:-target}

# Optimising pays where the time is longer than the build.
case $what in
[0-9] | [0-9][0-9]) level=0 ;;
*) level=1 ;;
esac
RUSTC_WORKSPACE_WRAPPER=$PWD/tests/fuzz/rustc.sh \
    cargo build --locked -p poimill-fuzz --config "profile.dev.package.poimill.opt-level=$level"
fuzzer=$target/debug/fuzz-pbf

memory=/dev/shm
[ -w "$memory" ] || memory=${TMPDIR:-/tmp}
POIMILL_FUZZ_FOLDER=$(mktemp -d "$memory/poimill-fuzz.XXXXXX")
export POIMILL_FUZZ_FOLDER
trap 'rm -rf "$POIMILL_FUZZ_FOLDER"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# One thread reads, so that what an input covers does not depend on the others.
RAYON_NUM_THREADS=1
export RAYON_NUM_THREADS
limits='-rss_limit_mb=512 -malloc_limit_mb=512 -timeout=10'

if [ -f "$what" ]; then
    # shellcheck disable=SC2086
    "$fuzzer" $limits "$what"
    exit
fi

corpus=$POIMILL_FUZZ_FOLDER/corpus
seed=${2:-}
if [ -z "$seed" ]; then
    corpus=$target/fuzz-corpus
    seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
fi
findings=$target/fuzz-findings
mkdir -p "$corpus" "$findings" "$POIMILL_FUZZ_FOLDER/seeds"
POIMILL_FUZZ_SEEDS=$POIMILL_FUZZ_FOLDER/seeds
export POIMILL_FUZZ_SEEDS

log=$POIMILL_FUZZ_FOLDER/log
# shellcheck disable=SC2086
if ! "$fuzzer" $limits -max_len=65536 -seed="$seed" -max_total_time="$what" -print_final_stats=1 \
    -artifact_prefix="$findings/" "$corpus" "$POIMILL_FUZZ_SEEDS" tests/fuzz/findings >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "fuzzing found something with seed $seed; the file is in $findings, read it again with: sh tests/fuzz/run.sh FILE" >&2
    exit 1
fi
field() { sed -n "s/^stat::$1: *//p" "$log"; }
edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
all=$(sed -n 's/.*(\([0-9]*\) inline 8-bit counters).*/\1/p' "$log" | head -n 1)
inputs=$(sed -n 's/.* corp: \([0-9]*\).*/\1/p' "$log" | tail -n 1)
echo "fuzzed the OSM reader for $what s: $(field number_of_executed_units) executions ($(field average_exec_per_sec) a second)," \
    "$edges edges covered of $all in all of poimill, $inputs inputs kept, peak $(field peak_rss_mb) MB, seed $seed"

#!/bin/sh
# Called by cargo with rustc's command: compiles poimill itself with counters for libFuzzer. Its dependencies do not come
# through here and stay as every other build has them.
case " $* " in
*' --crate-name poimill '*) counters="-Cpasses=sancov-module
        -Cllvm-args=-sanitizer-coverage-level=4
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
        -Cllvm-args=-sanitizer-coverage-pc-table
        -Cllvm-args=-sanitizer-coverage-trace-compares" ;;
*) counters= ;;
esac
# shellcheck disable=SC2086
exec "$@" $counters

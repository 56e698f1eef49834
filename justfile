# Every recipe names commands that also work by hand. Seconds are for 2 cores; the first number starts from nothing.

# lists the recipes
default:
    @just --list

# what a change must pass, as CI runs it
ci:
    .ci/run

# the main job on the fixtures; the release build takes about 15 min, then seconds
demo:
    cargo run --locked --release -- run pipelines/demo.toml

# format and lints, with default features and with all (the latter need libgdal); 150 s, then 5 s
lint:
    cargo fmt --all --check
    cargo clippy --locked --all-targets -- -D warnings
    cargo clippy --locked --all-targets --all-features -- -D warnings
    cargo clippy --locked -p poimill-fuzz -- -D warnings

# every test with every feature, PostGIS and the Python readers; 180 s, then 20 s
test *args:
    sh tests/run.sh {{ args }}

# the tests that need neither server nor Python nor libgdal; 110 s, then 10 s
test-quick *args:
    cargo test --locked {{ args }}

# installs the distribution's packages that the full test needs; 90 s
packages:
    sh tests/run.sh --install-only

# `osm` (with QuackOSM too: `osm --quackosm`), 3 to 5 min, `format`, 3 min, or `conflate`, 1 min; before, a release build (15 min)
bench what *args:
    python3 tests/bench/{{ what }}.py {{ args }}

# Open Charge Map dumps of 200 MB and 1 GB, made by repetition; a release build (15 min), then 1 min
bench-ocm *args:
    cargo bench --locked --bench ocm -- {{ args }}

# conflation of 1, 3 and 10 million records, beside PostGIS and GeoPandas; a release build (15 min), then 20 min
bench-scale *args:
    python3 tests/bench/scale.py {{ args }}

# changes PBF files and reads them under a memory limit until the time is over or something is found; 60 s of build, 150 s for a time over 99 s
fuzz-pbf seconds:
    sh tests/fuzz/run.sh {{ seconds }}

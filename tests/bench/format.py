"""Compares the files that poimill writes with those of GeoPandas and QuackOSM: the same rows, columns and zstd level.

    python3 tests/bench/format.py [EXTRACT.osm.pbf] [--rounds 5] [--poimill BINARY] [--python PYTHON] [--quackosm PYTHON]

Without an extract, world-sample.osm.pbf of `$POIMILL_DATA/osm`, or of ../shared/data/osm beside the repository, is read.
poimill writes `places` (every column) and a layer of everything; then each contestant writes the rows of both anew, from
memory, with the covering `bbox` and zstd level 3:

- `poimill`: its own file. Of the layer only the columns that the others write count: osm_type, osm_id, kind, geometry, bbox, tags.
- `GeoPandas`: `to_parquet(write_covering_bbox=True)`, else as it comes; and with row groups of 50,000.
- `DuckDB as in QuackOSM`: its COPY with the options that QuackOSM 0.19 gives it (Parquet v2, row groups of 100,000).

Bytes are those of the column chunks, by the footers. A query counts the features of a box of 20 km and the bytes of their
geometries and tags (of places, names): seconds are medians over the cities of rounds in which contestants take turns, each in
a fresh connection without DuckDB's cache of files; bytes are what DuckDB logs of its reads. At the end the commands as a
whole: `poimill run` of the layer, and QuackOSM where `--quackosm` names a Python that has it.

`--python` needs tests/python/requirements.txt; without it the readers' environment that tests/run.sh keeps is taken.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
DATA = Path(os.environ.get("POIMILL_DATA", ROOT / "../shared/data")) / "osm"
LAYER = ["osm_type", "osm_id", "kind", "geometry", "bbox", "tags"]
CITIES = {
    "Vaduz": (9.5215, 47.1410), "Monaco": (7.4246, 43.7384), "Munich": (11.5755, 48.1374), "Helsinki": (24.9414, 60.1718),
    "Porto": (-8.6110, 41.1496), "Valletta": (14.5146, 35.8997),
}  # fmt: skip
HALF_DEG = 0.1
PIPELINE = """name = "bench"
themes = {themes}

[[source]]
name = "osm"
kind = "osm_pbf"
path = "{extract}"
{layer}
"""
LAYER_TABLE = '\n[[layer]]\nname = "everything"\nfilter = "*"\n'


def run_poimill(poimill: Path, work: Path, name: str, extract: Path, themes: str, layer: str) -> tuple[Path, dict, float]:
    """Its snapshot, `run.json`, and seconds in all."""
    file = work / f"{name}.toml"
    file.write_text(PIPELINE.format(themes=themes, extract=extract, layer=layer))
    start = time.perf_counter()
    done = subprocess.run([poimill, "run", "--threads", "2", file, "--store", work / name], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(done.stderr)
    latest = work / name / "bench/latest"
    return latest, json.loads((latest / "run.json").read_text()), seconds


def write_with_geopandas(source: Path, columns: list[str] | None, out: Path, **more) -> float:
    import geopandas
    import pandas

    # Boxes are made anew.
    columns = columns and [column for column in columns if column != "bbox"]
    frame = geopandas.read_parquet(source, columns=columns, to_pandas_kwargs={"types_mapper": pandas.ArrowDtype})
    start = time.perf_counter()
    frame.to_parquet(out, compression="zstd", compression_level=3, write_covering_bbox=True, **more)
    return time.perf_counter() - start


def write_as_quackosm(source: Path, columns: list[str] | None, out: Path) -> float:
    import duckdb

    with duckdb.connect() as db:
        db.execute("load spatial; set threads = 2; set preserve_insertion_order = true")
        listed = ", ".join(columns) if columns else "*"
        db.execute(f"create table features as select {listed} from '{source}'")
        start = time.perf_counter()
        db.execute(
            f"copy features to '{out}' (format parquet, parquet_version v2, compression zstd, compression_level 3,"
            " row_group_size 100000)"
        )
        return time.perf_counter() - start


def chunks(path: Path, columns: list[str] | None) -> tuple[int, int]:
    """Bytes of the columns, and how many row groups there are."""
    import pyarrow.parquet

    metadata = pyarrow.parquet.ParquetFile(path).metadata
    total = 0
    for group in range(metadata.num_row_groups):
        for at in range(metadata.num_columns):
            column = metadata.row_group(group).column(at)
            if columns is None or column.path_in_schema.split(".")[0] in columns:
                total += column.total_compressed_size
    return total, metadata.num_row_groups


def query(path: Path, city: tuple[float, float], is_layer: bool) -> str:
    lon, lat = city
    # As numbers of 32 bits, as the boxes are: then DuckDB need not convert them and skips by them.
    west, south, east, north = (f"{edge:.4f}::float" for edge in (lon - HALF_DEG, lat - HALF_DEG, lon + HALF_DEG, lat + HALF_DEG))
    told = "sum(cardinality(tags))" if is_layer else "sum(length(name))"
    return (
        f"select count(*), {told}, sum(st_xmin(geometry)) from read_parquet('{path}') where bbox.xmin <= {east}"
        f" and bbox.xmax >= {west} and bbox.ymin <= {north} and bbox.ymax >= {south}"
    )


def connect():
    import duckdb

    db = duckdb.connect()
    db.execute("load spatial; set threads = 2; set enable_external_file_cache = false")
    return db


def seconds_of(sql: str) -> float:
    with connect() as db:
        start = time.perf_counter()
        db.execute(sql).fetchall()
        return time.perf_counter() - start


def read_by(sql: str) -> tuple[int, tuple]:
    """Bytes that DuckDB reads for a query, and its answer."""
    with connect() as db:
        db.execute("call enable_logging('FileSystem', level = 'trace')")
        answer = db.execute(sql).fetchone()
        db.execute("call disable_logging()")
        (read,) = db.execute("select sum(bytes) from duckdb_logs_parsed('FileSystem') where op = 'READ'").fetchone()
        return int(read), answer


def compare(name: str, source: Path, columns: list[str] | None, wrote: float, work: Path, rounds: int) -> None:
    files = {"poimill": (source, wrote)}
    for contestant, write in {
        "GeoPandas": lambda out: write_with_geopandas(source, columns, out),
        "GeoPandas, row groups of 50,000": lambda out: write_with_geopandas(source, columns, out, row_group_size=50_000),
        "DuckDB as in QuackOSM": lambda out: write_as_quackosm(source, columns, out),
    }.items():
        out = work / f"{name} {contestant}.parquet"
        files[contestant] = (out, statistics.median(write(out) for _ in range(3)))
    is_layer = columns is not None
    seconds = {contestant: {city: [] for city in CITIES} for contestant in files}
    for number in range(rounds + 1):
        for city, at in CITIES.items():
            for contestant, (path, _) in files.items():
                taken = seconds_of(query(path, at, is_layer))
                if number > 0:
                    seconds[contestant][city].append(taken)
    own, _ = chunks(source, columns)
    answers = set()
    print(f"\n{name}:\n\n| | MB | of poimill's | row groups | write s | query ms | MB read |\n|---|---|---|---|---|---|---|")
    for contestant, (path, wrote) in files.items():
        size, groups = chunks(path, columns)
        reads = [read_by(query(path, at, is_layer)) for at in CITIES.values()]
        answers.add(tuple(answer[0] for _, answer in reads))
        taken = statistics.median(statistics.median(of) for of in seconds[contestant].values())
        read = statistics.median(read for read, _ in reads)
        print(
            f"| {contestant} | {size / 1e6:.2f} | {size / own:.3f} | {groups} | {wrote:.2f} | {taken * 1e3:.1f} | {read / 1e6:.2f} |"
        )
    # Boxes rounded outward may hold a feature more at an edge; the answers must else be the same.
    print(f"\nfeatures in each city: {' or '.join(str(list(answer)) for answer in sorted(answers))}")


def main() -> None:
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("extract", type=Path, nargs="?", default=DATA / "world-sample.osm.pbf")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--poimill", type=Path)
    arguments.add_argument("--python", type=Path, default=TARGET / "readers-venv/bin/python")
    arguments.add_argument("--quackosm", type=Path)
    told = arguments.parse_args()
    if Path(sys.prefix) != told.python.parent.parent:
        os.execv(told.python, [str(told.python), *sys.argv])
    if told.poimill is None:
        subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
        told.poimill = TARGET / "release/poimill"
    extract = told.extract.resolve()

    sys.path.insert(0, str(ROOT / "tests/python"))
    import duckdb
    import geopandas
    import pyarrow
    from read_tables import home_with_spatial

    with tempfile.TemporaryDirectory(prefix="poimill-format-") as name:
        work = Path(name)
        os.environ["HOME"] = home_with_spatial(str(work / "home"))
        version = subprocess.run([told.poimill, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        print(f"{extract.name}; {version}; GeoPandas {geopandas.__version__}, pyarrow {pyarrow.__version__}, DuckDB {duckdb.__version__}; medians of {told.rounds} rounds")

        def stage(run: dict, begins: str) -> float:
            return sum(stage["duration_ms"] for stage in run["stages"] if stage["stage"].startswith(begins)) / 1e3

        latest, run, _ = run_poimill(told.poimill, work, "places", extract, '["places"]', "")
        compare("places", latest / "places.parquet", None, stage(run, "write tables"), work, told.rounds)
        whole = []
        for number in range(3):
            latest, run, seconds = run_poimill(told.poimill, work, f"layer-{number}", extract, "[]", LAYER_TABLE)
            whole.append(seconds)
        compare("layer", latest / "layers/everything.parquet", LAYER, stage(run, "write layer"), work, told.rounds)
        print(f"\nwhole commands: poimill run of the layer {statistics.median(whole):.1f} s")
        if told.quackosm:
            sys.path.insert(0, str(ROOT / "tests/bench"))
            from osm import QUACK

            script = work / "quack.py"
            script.write_text(QUACK)
            start = time.perf_counter()
            subprocess.run([told.quackosm, script, extract, work], check=True)
            seconds, (size, _) = time.perf_counter() - start, chunks(work / "out.parquet", None)
            rows = pyarrow.parquet.ParquetFile(work / "out.parquet").metadata.num_rows
            ours, _ = chunks(latest / "layers/everything.parquet", ["osm_type", "osm_id", "kind", "geometry", "tags"])
            our_rows = pyarrow.parquet.ParquetFile(latest / "layers/everything.parquet").metadata.num_rows
            print(f"QuackOSM {seconds:.1f} s; id, geometry and tags of a feature {size / rows:.1f} bytes, poimill's {ours / our_rows:.1f}")


if __name__ == "__main__":
    main()

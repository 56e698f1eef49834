"""Times conflation at scale, and the same search for neighbours by PostGIS and GeoPandas.

    python3 tests/bench/scale.py [--rows 1000000,3000000,10000000] [--peers 1000000] [--folder FOLDER]

Millions of synthetic records of two sources at Pittsburgh's density: 20 of the other source within 300 m of each.
`core` is the core of a run: Parquet in, candidates, scores, groups, bridge and links out as Parquet. `run` is a whole
`poimill run`: cleaning, merging attributes, ids and all tables too. `pairs` is what the peers do: pairs of the two
sources within 300 m. Prints Markdown. Needs Linux, PostgreSQL with PostGIS, and pip for a virtual environment.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))

GEOPANDAS = """
import sys, time
import geopandas, pandas, pyarrow.parquet, shapely
start = time.monotonic()
frames = [pyarrow.parquet.read_table(f"{sys.argv[1]}/{name}.parquet", columns=["id", "lon", "lat"]).to_pandas() for name in "ab"]
centre = frames[0].lon.mean(), frames[0].lat.mean()
laea = f"+proj=laea +lon_0={centre[0]} +lat_0={centre[1]} +units=m"
a, b = (geopandas.GeoDataFrame(frame[["id"]], geometry=geopandas.points_from_xy(frame.lon, frame.lat), crs=4326).to_crs(laea)
        for frame in frames)
read = time.monotonic()
pairs = len(a.sjoin(b, predicate="dwithin", distance=300))
print(f"geopandas {geopandas.__version__}, shapely {shapely.__version__}, GEOS {shapely.geos_version_string};{read - start};{time.monotonic() - read};{pairs}")
"""


def measure(command: list[str]) -> tuple[str, float, float, float]:
    """What a process says, its wall seconds, CPU seconds and peak memory in MB."""
    with tempfile.TemporaryFile("w+") as out:
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{command[0]} ended with status {process.returncode}")
        out.seek(0)
        return out.read(), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def same_work(ours: int, theirs: int, who: str) -> None:
    """Ends where the pairs found differ by more than a sphere does from the ellipsoid: times of other work say nothing."""
    if abs(ours - theirs) > 0.012 * theirs:
        sys.exit(f"poimill found {ours:,} pairs and {who} {theirs:,}: not the same work, so no ratio is printed")


def whole_run(rows: int, tables: Path, folder: Path) -> None:
    """A line of the table for `poimill run`, with 1 thread up to a million records and with 2; ends where bytes differ."""
    columns = {"name": "name", "phone": "phone", "website": "website", "addr:street": "street",
               "addr:housenumber": "housenumber", "addr:postcode": "postcode"}
    pipeline = folder / "scale.toml"
    pipeline.write_text('name = "scale"\nthemes = ["places"]\n[region]\nbbox = [-180, -90, 180, 90]\n' + "".join(
        f'[[source]]\nname = "{name}"\nkind = "table"\npath = "{tables / name}.parquet"\nlicense = "CC0-1.0"\n'
        '[source.table]\nid = "id"\nlon = "lon"\nlat = "lat"\n[source.table.tags]\namenity = { value = "restaurant" }\n'
        + "".join(f'"{tag}" = "{column}"\n' for tag, column in columns.items()) for name in "ab"))
    hashes = set()
    for threads in [1, 2] if rows <= 1_000_000 else [2]:
        with tempfile.TemporaryDirectory(dir=folder) as store:
            command = [str(TARGET / "release/poimill"), "run", str(pipeline), "--store", store, "--threads", str(threads)]
            _, wall, cpu, peak = measure(command)
            manifest = json.loads((Path(store) / "scale/latest/manifest.json").read_text())
            hashes.add(manifest["content_hash"])
        print(f"| run, {rows:,} | {threads} | {wall:.1f} | {cpu:.1f} | {cpu / rows * 1e6:.1f} | {peak:,.0f} "
              f"| {manifest['counts']['pairs_compared']:,} | |", flush=True)
    if len(hashes) != 1:
        sys.exit("the number of threads decides on bytes of a run")


def built() -> str:
    """The benchmark's executable; the command is built too."""
    subprocess.run(["cargo", "build", "--locked", "--release"], cwd=ROOT, check=True)
    command = ["cargo", "bench", "--locked", "--bench", "conflate_scale", "--no-run", "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    messages = (json.loads(line) for line in lines if line.startswith("{"))
    named = [m["executable"] for m in messages if m.get("target", {}).get("name") == "conflate_scale" and m.get("executable")]
    return named[-1]


def value(said: str, name: str) -> str:
    return next(line.split(maxsplit=1)[1] for line in said.splitlines() if line.split(maxsplit=1)[0] == name)


def as_postgres(command: list[str]) -> list[str]:
    return ["runuser", "-u", "postgres", "--", *command] if os.getuid() == 0 else command


def postgis(folder: Path, work: Path) -> tuple[str, float, float, float, int]:
    """Version, seconds of loading, of indexing and of the join, and the pairs found by a throwaway server."""
    bins = max(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4])).parent
    server = work / "server"
    server.mkdir()
    work.chmod(0o755)
    if os.getuid() == 0:
        subprocess.run(["chown", "postgres:", server], check=True)
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "cwd": server}
    subprocess.run(as_postgres([f"{bins}/initdb", "-D", f"{server}/data", "-A", "trust", "-U", "postgres", "--no-sync"]), **quiet)
    with (server / "data/postgresql.conf").open("a") as settings:
        settings.write(f"listen_addresses = ''\nunix_socket_directories = '{server}'\nfsync = off\nwal_level = minimal\n"
                       "max_wal_senders = 0\nshared_buffers = 2GB\nmaintenance_work_mem = 1GB\nwork_mem = 256MB\n")
    subprocess.run(as_postgres([f"{bins}/pg_ctl", "-D", f"{server}/data", "-l", f"{server}/log", "-w", "start"]), **quiet)

    def sql(text: str) -> tuple[str, float]:
        start = time.monotonic()
        psql = [f"{bins}/psql", "-qAt", "-h", str(server), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-c", text]
        said = subprocess.run(psql, check=True, stdout=subprocess.PIPE, text=True).stdout
        return said.strip(), time.monotonic() - start

    try:
        sql("create extension postgis")
        version = sql("select 'PostgreSQL ' || current_setting('server_version') || ', PostGIS ' || postgis_lib_version()")[0]
        load = 0.0
        for name in "ab":
            sql(f"create table {name} (id text, lon float8, lat float8)")
            csv = folder / f"{name}.csv"
            csv.chmod(0o644)
            load += sql(f"\\copy {name} from '{csv}' csv")[1]
            load += sql(f"create table {name}_at as select id, st_point(lon, lat, 4326)::geography as at from {name}")[1]
        index = sum(sql(f"create index on {name}_at using gist (at)")[1] + sql(f"analyze {name}_at")[1] for name in "ab")
        pairs, join = sql("select count(*) from a_at a join b_at b on st_dwithin(a.at, b.at, 300)")
        return version, load, index, join, int(pairs)
    finally:
        subprocess.run(as_postgres([f"{bins}/pg_ctl", "-D", f"{server}/data", "-m", "immediate", "stop"]), **quiet)


def python_of_peers() -> Path:
    venv = TARGET / "geopandas-venv"
    if not (venv / "ready").exists():
        maker = next(python for python in ["python3", "/usr/bin/python3"]
                     if subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True).returncode == 0)
        subprocess.run([maker, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([venv / "bin/python", "-m", "pip", "install", "--quiet", "geopandas", "pyarrow"], check=True)
        (venv / "ready").touch()
    return venv / "bin/python"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="1000000,3000000,10000000")
    parser.add_argument("--peers", type=int, default=1_000_000, help="rows that the peers get; 0 for none")
    parser.add_argument("--folder", help="where the records are written; a temporary folder otherwise")
    arguments = parser.parse_args()
    sizes = [int(rows) for rows in arguments.rows.split(",")]
    bench = built()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the beginning; {os.uname().release}\n")
    with tempfile.TemporaryDirectory(prefix="poimill-scale.", dir=arguments.folder) as folder:
        print("| what, rows | threads | wall s | CPU s | µs CPU a row | peak MB | pairs compared | right of true pairs |")
        print("|---|---|---|---|---|---|---|---|")
        for rows in sizes:
            tables = Path(folder) / str(rows)
            subprocess.run([bench, "make", str(rows), tables], check=True)
            hashes = set()
            for threads in [1, 2]:
                said, wall, cpu, peak = measure([bench, "run", str(tables), str(threads)])
                hashes.add((value(said, "sha256_bridge"), value(said, "sha256_links")))
                right = f"{int(value(said, 'right_pairs')) / (rows / 4):.3f}"
                print(f"| core, {rows:,} | {threads} | {wall:.1f} | {cpu:.1f} | {cpu / rows * 1e6:.1f} | {peak:,.0f} "
                      f"| {int(value(said, 'candidates')):,} | {right} |", flush=True)
                print(textwrap.indent(said, "    "), file=sys.stderr)
            if len(hashes) != 1:
                sys.exit("the number of threads decides on bytes")
            whole_run(rows, tables, Path(folder))
        print("\nThe same bytes for 1 and 2 threads.")
        if arguments.peers:
            peers(bench, arguments.peers, Path(folder))


def peers(bench: str, rows: int, folder: Path) -> None:
    tables = folder / "peers"
    subprocess.run([bench, "make", str(rows), tables], check=True)
    folder.chmod(0o755)
    said, wall, _, peak = measure([bench, "pairs", str(tables), "2"])
    found = int(value(said, "pairs_across"))
    print(f"\n| pairs within 300 m of {rows:,} rows | seconds in all | of these searching | pairs | time over poimill's |")
    print("|---|---|---|---|---|")
    searching = float(next(line for line in said.splitlines() if line.startswith("candidates ")).split()[1])
    print(f"| poimill, 2 threads, {peak:,.0f} MB; pairs within a source too | {wall:.1f} | {searching:.1f} | {found:,} | 1 |")
    python = python_of_peers()
    script = "import pyarrow.parquet as p, pyarrow.csv as c, sys\nfor n in 'ab':\n" \
        " c.write_csv(p.read_table(f'{sys.argv[1]}/{n}.parquet', columns=['id', 'lon', 'lat']), f'{sys.argv[1]}/{n}.csv', c.WriteOptions(include_header=False))"
    subprocess.run([python, "-c", script, tables], check=True)
    with tempfile.TemporaryDirectory(prefix="poimill-scale.", dir="/tmp") as work:
        version, load, index, join, pairs = postgis(tables, Path(work))
    total = load + index + join
    same_work(found, pairs, "PostGIS")
    print(f"| {version}, ST_DWithin on geography, GiST | {total:.1f} | {join:.1f} | {pairs:,} | {total / wall:.1f} |", flush=True)
    said, total, _, peak = measure([str(python), "-c", GEOPANDAS, str(tables)])
    version, _, join, pairs = said.strip().split(";")
    same_work(found, int(pairs), "GeoPandas")
    print(f"| {version}, sjoin dwithin, {peak:,.0f} MB | {total:.1f} | {float(join):.1f} | {int(pairs):,} | {total / wall:.1f} |")


if __name__ == "__main__":
    main()

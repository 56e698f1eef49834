"""Times the reading of one OSM extract by poimill and by other tools, in turn, and prints a Markdown table.

    python3 tests/bench/osm.py [EXTRACT.osm.pbf] [--small MONACO.osm.pbf] [--rounds 5] [--slow-rounds 2] [--quackosm]
                               [--skip NAME,…] [--poimill BINARY] [--extract-bench BINARY] [--work FOLDER]

Without an extract, those of `$POIMILL_DATA/osm`, or of ../shared/data/osm beside the repository, are read.
Builds poimill and `tests/bench/extract.rs` for release unless it is given both. Contestants, each a process of its own, every round in this order:

- `zlib`: C zlib inflates every blob on one thread; framing and reading are not timed. What decompression alone costs.
- `places`, `charging`: `tests/bench/extract.rs` finds the features of a theme on two threads; starting is not timed.
- `everything`: `poimill run` with one layer of everything, into a new store: sorted GeoParquet in zstd.
- `osmium`: `osmium export` to GeoJSONSeq with the same area rules.
- `ogr2ogr`: GDAL's points, lines and multipolygons to GeoJSONSeq.
- `quackosm` (on request; makes a virtual environment): everything to GeoParquet, tags as a map.
- `… small`: the same on a small extract, where starting counts.

Every tool writes into a fresh folder below --work, and what it wrote is counted. One round more, first and not counted,
warms the file cache. CPU seconds are those of the process and its children, memory that of its largest process.
Needs Linux; the tools that are not installed are left out, by name.
"""

import argparse
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
DATA = Path(os.environ.get("POIMILL_DATA", ROOT / "../shared/data")) / "osm"
THREADS = "2"
QUACKOSM = ["quackosm==0.19.0", "duckdb==1.5.5", "duckdb-extension-spatial==1.5.5"]

# Frames the blobs of a PBF file, then times inflating them. One process, so that its memory is not ours.
ZLIB = """
import json, sys, time, zlib
def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]; at += 1
        value |= (byte & 127) << shift; shift += 7
        if byte < 128: return value, at
def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0: value, at = varint(data, at)
        else:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value
blobs = []
with open(sys.argv[1], "rb") as file:
    while head := file.read(4):
        header = dict(fields(file.read(int.from_bytes(head, "big"))))
        blob = dict(fields(file.read(header[3])))
        if 3 not in blob: sys.exit("not every blob is zlib")
        blobs.append((blob[3], blob[2]))
start = time.perf_counter()
inflated = sum(len(zlib.decompress(blob, bufsize=size)) for blob, size in blobs)
print(json.dumps({"seconds": time.perf_counter() - start, "rows": len(blobs), "inflated": inflated}))
"""

QUACK = """
import sys, quackosm
if __name__ == "__main__":
    quackosm.convert_pbf_to_parquet(sys.argv[1], keep_all_tags=True, explode_tags=False, ignore_cache=True,
        working_directory=sys.argv[2], result_file_path=sys.argv[2] + "/out.parquet", verbosity_mode="silent")
"""

QUACK_ROWS = "import sys, pyarrow.parquet as p; print(p.ParquetFile(sys.argv[1]).metadata.num_rows)"


@dataclass
class Run:
    """What one process took: seconds that count, all wall seconds, CPU seconds, peak MB, rows written."""

    seconds: float
    wall: float
    cpu: float
    peak: float
    rows: int


@dataclass
class Contestant:
    name: str
    # Takes a fresh folder; returns the command and its environment.
    command: object
    # Takes the folder and what the process printed; returns the rows written.
    rows: object
    slow: bool = False
    runs: list[Run] = field(default_factory=list)

    def median(self, what: str) -> float:
        return statistics.median(getattr(run, what) for run in self.runs)


def measure(contestant: Contestant, work: Path) -> Run:
    with tempfile.TemporaryDirectory(dir=work) as name:
        folder = Path(name)
        command, environment = contestant.command(folder)
        out, err = folder / "stdout", folder / "stderr"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=os.environ | environment)
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - start
        if status != 0:
            sys.exit(f"{contestant.name} ended with status {status}:\n{err.read_text(errors='replace')[-2000:]}")
        printed = out.read_text(errors="replace")
        rows = contestant.rows(folder, printed)
        if rows == 0:
            sys.exit(f"{contestant.name} wrote nothing")
        # Those that time themselves print a line of JSON.
        own = json.loads(printed) if printed.startswith('{"') and "seconds" in printed else {}
        return Run(own.get("seconds", wall), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, rows)


def lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def printed_rows(_: Path, printed: str) -> int:
    return json.loads(printed)["rows"]


def everything(name: str, poimill: Path, extract: Path) -> Contestant:
    pipeline = f"""name = "everything"
themes = []

[[source]]
name = "osm"
kind = "osm_pbf"
path = "{extract}"

[[layer]]
name = "everything"
filter = "*"

[store]
dir = "store"
"""

    def command(folder: Path):
        (folder / "everything.toml").write_text(pipeline)
        return [poimill, "run", "--threads", THREADS, folder / "everything.toml"], {}

    def rows(folder: Path, _: str) -> int:
        manifest = json.loads((folder / "store/everything/latest/manifest.json").read_text())
        return manifest["tables"]["layers/everything"]["rows"]

    return Contestant(name, command, rows)


def osmium(extract: Path) -> Contestant:
    rules = tomllib.loads((ROOT / "pipelines/area-rules.toml").read_text())
    configuration = json.dumps({"area_tags": rules["area"], "linear_tags": rules.get("line") or None})

    def command(folder: Path):
        (folder / "export.json").write_text(configuration)
        options = ["--no-progress", "-f", "geojsonseq", "-a", "type,id", "-c", folder / "export.json"]
        return ["osmium", "export", *options, "-o", folder / "out", extract], {}

    return Contestant("osmium", command, lambda folder, _: lines(folder / "out"))


def ogr2ogr(extract: Path) -> Contestant:
    def command(folder: Path):
        layers = ["points", "lines", "multipolygons"]
        return ["ogr2ogr", "-q", "-f", "GeoJSONSeq", folder / "out", extract, *layers], {}

    return Contestant("ogr2ogr", command, lambda folder, _: lines(folder / "out"), slow=True)


def quackosm(name: str, python: Path, home: Path, extract: Path) -> Contestant:
    def command(folder: Path):
        script = folder / "quack.py"
        script.write_text(QUACK)
        return [python, script, extract, folder], {"HOME": str(home)}

    def rows(folder: Path, _: str) -> int:
        return int(subprocess.run([python, "-c", QUACK_ROWS, folder / "out.parquet"], capture_output=True, check=True).stdout)

    return Contestant(name, command, rows, slow=True)


def prepare_quackosm() -> tuple[Path, Path]:
    """Its virtual environment and a home with DuckDB's spatial extension, which it would else download."""
    venv = TARGET / "quackosm-venv"
    python, stamp = venv / "bin/python", venv / "requirements.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(QUACKOSM):
        print(f"preparing QuackOSM in {venv}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-cache-dir", *QUACKOSM], check=True)
        stamp.write_text("\n".join(QUACKOSM))
    home = venv / "home"
    asked = "import duckdb, duckdb_extension_spatial as e; print(duckdb.sql('pragma platform').fetchone()[0], e.__path__[0])"
    told = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True).stdout.strip()
    system, package = told.split(" ", 1)
    (source,) = Path(package).glob("extensions/v*/spatial.duckdb_extension")
    target = home / ".duckdb/extensions" / source.parent.name / system / source.name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return python, home


def built() -> tuple[Path, Path]:
    """poimill and the bench, built for release: with the same settings, so that dependencies are built once."""
    found = {}
    for build in (["build", "--release"], ["bench", "--no-run", "--bench", "extract"]):
        command = ["cargo", *build, "--locked", "--message-format=json-render-diagnostics"]
        for line in subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines():
            if line.startswith("{") and (executable := json.loads(line).get("executable")):
                found[json.loads(line)["target"]["name"]] = Path(executable)
    return found["poimill"], found["extract"]


def version(command: list) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return next((line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()), "?")


def described(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{path.name}, {path.stat().st_size / 1e6:.1f} MB, SHA-256 {digest}…"


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def targets(by_name: dict[str, Contestant], size_mb: float) -> list[tuple[str, float, str, bool]]:
    """What is asked of us: the words, the figure seen, its unit, whether it is met."""
    asked = []

    def ratio(slower: str, faster: str, what: str, least: float) -> None:
        if slower in by_name and faster in by_name:
            seen = by_name[slower].median("seconds") / by_name[faster].median("seconds")
            asked.append((f"{what}: at least {least:g} times faster", seen, "times", seen >= least))

    def most(name: str, what: str, column: str, limit: float, unit: str) -> None:
        if name in by_name:
            seen = by_name[name].median(column)
            asked.append((f"{what}: at most {limit:g} {unit}", seen, unit, seen <= limit))

    for theme in ["places", "charging"]:
        if theme in by_name and "zlib" in by_name:
            seen = by_name[theme].median("seconds") / by_name["zlib"].median("seconds")
            asked.append((f"{theme} against zlib: at most 0.8 of its time", seen, "of it", seen <= 0.8))
    most("places", "places", "peak", 120, "MB")
    ratio("osmium", "everything", "everything against osmium export", 3)
    ratio("ogr2ogr", "everything", "everything against ogr2ogr", 15)
    ratio("quackosm", "everything", "everything against QuackOSM", 15)
    if "everything" in by_name:
        seen = size_mb / by_name["everything"].median("cpu")
        asked.append(("everything: at least 9 MB of PBF per CPU second", seen, "MB/s", seen >= 9))
    most("everything", "everything", "peak", 350, "MB")
    most("everything small", "everything of the small extract", "seconds", 0.15, "s")
    return asked


def main() -> None:
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("extract", type=Path, nargs="?")
    arguments.add_argument("--small", type=Path)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--slow-rounds", type=int, default=2, help="rounds of those that take half a minute")
    arguments.add_argument("--quackosm", action="store_true")
    arguments.add_argument("--skip", default="", help="contestants to leave out")
    arguments.add_argument("--poimill", type=Path, help="else it is built")
    arguments.add_argument("--extract-bench", type=Path, help="tests/bench/extract.rs, built; else it is built")
    arguments.add_argument("--work", type=Path, help="folder for what is written; a memory-backed one is fairest")
    told = arguments.parse_args()
    if told.extract is None:
        told.extract = DATA / "world-sample.osm.pbf"
        told.small = told.small or DATA / "monaco-20260710.osm.pbf"
    extract, small = told.extract.resolve(), told.small and told.small.resolve()

    poimill, bench = (told.poimill, told.extract_bench) if told.poimill and told.extract_bench else built()

    def theme(name: str) -> Contestant:
        return Contestant(name, lambda _: ([bench.resolve(), extract, name], {"RAYON_NUM_THREADS": THREADS}), printed_rows)

    contestants = [Contestant("zlib", lambda _: ([sys.executable, "-c", ZLIB, extract], {}), printed_rows)]
    versions = [f"Python {platform.python_version()} with zlib {__import__('zlib').ZLIB_RUNTIME_VERSION}"]
    contestants += [theme("places"), theme("charging"), everything("everything", poimill.resolve(), extract)]
    versions.append(version([poimill, "--version"]))
    if shutil.which("osmium"):
        contestants.append(osmium(extract))
        versions.append(version(["osmium", "--version"]))
    if shutil.which("ogr2ogr"):
        contestants.append(ogr2ogr(extract))
        versions.append(version(["ogr2ogr", "--version"]))
    if small:
        contestants.append(everything("everything small", poimill.resolve(), small))
    if told.quackosm:
        python, home = prepare_quackosm()
        contestants.append(quackosm("quackosm", python, home, extract))
        contestants += [quackosm("quackosm small", python, home, small)] if small else []
        versions.append(", ".join(QUACKOSM).replace("==", " "))
    skipped = told.skip.split(",")
    contestants = [contestant for contestant in contestants if contestant.name not in skipped]
    every = "zlib places charging everything osmium ogr2ogr quackosm".split()
    absent = [name for name in every if name not in [contestant.name for contestant in contestants]]

    with tempfile.TemporaryDirectory(dir=told.work, prefix="poimill-bench-") as work:
        for number in range(told.rounds + 1):
            for contestant in contestants:
                # The slow ones need no warming of their own: the others have read the file.
                if contestant.slow and not 1 <= number <= told.slow_rounds:
                    continue
                run = measure(contestant, Path(work))
                print(f"round {number}: {contestant.name} {run.seconds:.3f} s", file=sys.stderr)
                if number > 0:
                    contestant.runs.append(run)

    by_name = {contestant.name: contestant for contestant in contestants}
    print(f"{described(extract)}" + (f"; small: {described(small)}" if small else ""))
    print(f"{os.cpu_count()} × {processor()}, load {os.getloadavg()[0]:.1f} at the end; {platform.system()} {platform.release()}")
    print("; ".join(versions))
    print(f"medians of {told.rounds} interleaved rounds, of {told.slow_rounds} for the slow; {THREADS} threads for poimill\n")
    print("| | seconds | least to most | CPU s | peak MB | rows | runs |\n|---|---|---|---|---|---|---|")
    for name, contestant in by_name.items():
        seconds = [run.seconds for run in contestant.runs]
        print(
            f"| {name} | {contestant.median('seconds'):.3f} | {min(seconds):.3f} to {max(seconds):.3f} "
            f"| {contestant.median('cpu'):.2f} | {contestant.median('peak'):.0f} | {contestant.runs[0].rows:,} | {len(seconds)} |"
        )
    print("\n| target | seen | |\n|---|---|---|")
    for words, seen, unit, met in targets(by_name, extract.stat().st_size / 1e6):
        print(f"| {words} | {seen:.2f} {unit} | {'met' if met else '**missed**'} |")
    if absent:
        print(f"\nLeft out: {', '.join(absent)}.")


if __name__ == "__main__":
    main()

"""Times `poimill run` with every category on an extract beside `osmium export`, in turn, as whole processes.

    python3 tests/bench/places.py target/release/poimill EXTRACT.osm.pbf [RUNS]

Prints versions and, for each tool, the median of wall seconds, CPU seconds and peak memory, and the ratio of the medians.
The two do not do the same work: osmium writes every tagged object as GeoJSON, poimill finds, cleans, conflates and compares
places and writes GeoParquet. Needs Linux and osmium-tool.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def measure(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in MB of one process."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        sys.exit(f"{command[0]} ended with status {status}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def version(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def main() -> None:
    poimill, extract = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print(f"{version([poimill, '--version'])}; {version(['osmium', '--version'])}; {os.cpu_count()} cores; median of {runs}")
    figures: dict[str, list[tuple[float, float, float]]] = {"poimill": [], "osmium": []}
    # One more, first and not counted, to warm the file cache.
    for counted in [False] + [True] * runs:
        with tempfile.TemporaryDirectory() as folder:
            for tool, command in {
                "poimill": [poimill, "run", f"{ROOT}/pipelines/world.toml", f"--input=osm={extract}", f"--store={folder}"],
                "osmium": ["osmium", "export", "--no-progress", "-f", "geojsonseq", "-o", f"{folder}/all.geojsonseq", extract],
            }.items():
                seen = measure(command)
                if counted:
                    figures[tool].append(seen)
    medians = {tool: [statistics.median(column) for column in zip(*seen)] for tool, seen in figures.items()}
    for tool, (wall, cpu, peak) in medians.items():
        print(f"{tool:8} {wall:6.1f} s wall {cpu:6.1f} s CPU {peak:6.0f} MB peak")
    ratios = [ours / theirs for ours, theirs in zip(medians["poimill"], medians["osmium"])]
    print("poimill / osmium: " + ", ".join(f"{what} {ratio:.2f}" for what, ratio in zip(["wall", "CPU", "peak"], ratios)))


if __name__ == "__main__":
    main()

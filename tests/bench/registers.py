"""Runs Open Charge Map's dump against registers of charging stations, for conflate.py: pairs found, and ids that change.

Each register is read as its shipped pipeline reads it. Where the dump names the register's own id of a record, so does the
pipeline; a run then knows pairs by id and tries its matcher on them with the ids hidden.

Ids must not change when nothing did: the same files again, the same records in another order, and the same records whose
status was confirmed a day later. The first two are runs of their own, the third is the night after the first.
"""

import gzip
import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parents[2]

DUMP = "ocm/ocm-data-poi-20201120.ndjson.gz"

# Classes of change after which a place has another id than it had.
OTHER_ID = {"added", "removed", "merged", "split"}

# Name of its shipped pipeline and of its source, and file.
REGISTERS = [
    ("afdc", "afdc", "registries/us-afdc-ids-20220115.csv"),
    ("uk-ncr", "ncr", "registries/uk-ncr.csv"),
    ("chargy", "chargy", "registries/lu-chargy.geojson"),
]


@dataclass
class Against:
    """What came of the dump and one register."""

    register: str
    counts: dict
    # Pairs of a record of each, by verdict; and how well calibrated the model is on them.
    pairs: dict
    known: dict
    # How often a place's id is another: what was done to the input, to the number of such places.
    other_ids: dict[str, int]


def pipeline(shipped: str) -> str:
    text = (ROOT / f"pipelines/{shipped}.toml").read_text()
    source = text[text.index("[[source]]"):text.index("[store]")]
    dump = '[[source]]\nname = "ocm"\nkind = "open_charge_map"\npath = "dump"\n'
    return f'name = "register"\nthemes = ["charging"]\n{dump}\n{source}\n[gate]\nmax_removed_share = 1.0\n'


def permuted(text: str) -> str:
    """The same records in another order; a table whose records go over several lines stays as it is."""
    dice = random.Random(1)
    if text.startswith("{") and '"features"' in text[:200]:
        collection = json.loads(text)
        dice.shuffle(collection["features"])
        return json.dumps(collection, ensure_ascii=False)
    lines = text.splitlines(keepends=True)
    if any(line.count('"') % 2 for line in lines):
        return text
    head = 0 if text.startswith("{") else 1
    lines[-1] = lines[-1].rstrip("\n") + "\n"
    records = lines[head:]
    dice.shuffle(records)
    return "".join(lines[:head] + records)


def a_day_later(text: str) -> str:
    """The same dump whose records' status was confirmed a day later."""

    def later(line: str) -> str:
        record = json.loads(line)
        date = record.get("DateLastStatusUpdate")
        if date:
            day = datetime.fromisoformat(date["$date"].replace("Z", "+00:00")) + timedelta(days=1)
            date["$date"] = day.isoformat().replace("+00:00", "Z")
        return json.dumps(record, ensure_ascii=False)

    return "".join(later(line) + "\n" for line in text.splitlines() if line.strip())


def read(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")


def against(poimill, data: Path, work: Path, pairs_of: Callable[[str], dict]) -> list[Against]:
    """The dump against every register that is there; `pairs_of` tells of the pairs of a snapshot between its sources."""
    found = []
    for shipped, source, file in REGISTERS:
        dump, register = data / DUMP, data / file
        if dump.is_file() and register.is_file():
            folder = work / shipped
            folder.mkdir(parents=True, exist_ok=True)
            found.append(one(poimill, (shipped, source), dump, register, folder, pairs_of))
    return found


def one(poimill, register: tuple, dump: Path, file: Path, folder: Path, pairs_of: Callable[[str], dict]) -> Against:
    shipped, source = register
    (folder / "register.toml").write_text(pipeline(shipped))

    def changed(path: Path, name: str, change: Callable[[str], str]) -> Path:
        to = folder / name
        with to.open("w", encoding="utf-8", newline="") as out:
            out.write(change(read(path)))
        return to

    def run(store: str, dump: Path, file: Path) -> dict:
        return poimill.run(folder / "register.toml", "--store", folder / store, "--input", f"ocm={dump}", "--input", f"{source}={file}")

    def other_ids(old: dict, new: dict) -> int:
        changes = poimill.diff(old["location"], new["location"])
        return sum(change.get("class") in OTHER_ID for change in changes)

    first = run("first", dump, file)
    again = run("again", dump, file)
    shuffled = run("shuffled", changed(dump, "shuffled.ndjson", permuted), changed(file, f"shuffled{file.suffix}", permuted))
    next_night = run("first", changed(dump, "later.ndjson", a_day_later), file)
    return Against(shipped, first["counts"], pairs_of(first["location"]), first["self_evaluation"], {
        "identical": other_ids(first, again),
        "permuted": other_ids(first, shuffled),
        "a day later": other_ids(first, next_night),
    })

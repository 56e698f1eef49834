"""Measures the matcher on labelled pairs and prints the table of what it must reach, as Markdown.

    python3 tests/bench/conflate.py [--data FOLDER] [--poimill BINARY] [--profile NAME] [--threads N] [--keep FOLDER]

FOLDER is `$POIMILL_DATA`, or ../shared/data beside the repository. It may hold

- `matching/geo-er/<sources>/<city>/{train,valid,test}.txt`: whatever sources and cities are there are used. Each city is measured by
  a model that `poimill eval --hold-out` fits on the other cities, thresholds included; so no pair of a city, of whatever
  source, has taught the model that judges it.
- `matching/ger-llm-pittsburgh/`: two whole tables and their true pairs, matched end to end by a model fitted on the Geo-ER
  cities other than Pittsburgh.
- `osm/` and `ocm/`: charging stations, of which `truth.rs` takes sites of several operators. It also tries invented records.
- `ocm/` and `registries/`: Open Charge Map's dump against registers, see `registers.py`.

The last column is the shipped model on the same pairs; where it was itself fitted on them, that is no measurement, and its
own words on what fitted it are printed below. Builds poimill for release unless it is given; `--profile dev`
saves the long build of it and of `truth.rs`. Standard library only.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from registers import Against, against

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
DATA = Path(os.environ.get("POIMILL_DATA", ROOT / "../shared/data"))

# The city of the whole tables, as Geo-ER's folders call it.
TABLES_CITY = "pit"

Row = tuple[str, str, str, str, str]


def built(profile: str) -> Path:
    subprocess.run(["cargo", "build", "--locked", "--profile", profile], cwd=ROOT, check=True)
    return TARGET / ("debug" if profile == "dev" else profile) / "poimill"


def truth(profile: str, *arguments: str) -> dict:
    """What `truth.rs` beside this file prints."""
    command = ["cargo", "bench", "--locked", "--profile", profile, "--bench", "truth", "--", *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)


class Poimill:
    """The binary, with what every call has in common."""

    def __init__(self, binary: Path, threads: int) -> None:
        self.binary, self.threads = binary, threads

    def eval(self, *arguments: str | Path) -> dict:
        return json.loads(self.told("eval", "--json", f"--threads={self.threads}", *arguments))

    def run(self, *arguments: str | Path) -> dict:
        return json.loads(self.told("run", "--json", f"--threads={self.threads}", *arguments))

    def diff(self, *arguments: str | Path) -> list[dict]:
        return [json.loads(line) for line in self.told("diff", "--json", *arguments, fine=(0, 1)).splitlines()]

    def told(self, *arguments: str | Path, fine: tuple[int, ...] = (0,)) -> str:
        command = [str(part) for part in (self.binary, *arguments)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in fine:
            sys.exit(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr}")
        return done.stdout


def number(value: float | None, decimals: int = 3) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def cities_below(folder: Path) -> dict[str, list[Path]]:
    """City to its folders, one per pair of sources."""
    cities: dict[str, list[Path]] = {}
    for text in sorted(folder.glob("*/*/*.txt")):
        known = cities.setdefault(text.parent.name, [])
        if text.parent not in known:
            known.append(text.parent)
    return cities


def pair_rows(held_out: dict, shipped: dict) -> list[Row]:
    """The lines of the table that labelled pairs answer."""

    def row(measure: str, anchor: str, target: str, of: str, key: str, told=number) -> Row:
        return measure, anchor, target, told(held_out[of][key]), told(shipped[of][key])

    return [
        row("Geo-ER, unseen cities, mean pair F1", "0.92 logistic regression, 0.926 boosted trees", "0.935", "mean", "f1"),
        row("recall at precision 0.98, median", "0.84", "0.88", "median", "recall_at_precision_0.98"),
        row("share of pairs to review at precision 0.98, mean", "38 % (Hootenanny)", "5 %", "mean",
            "review_share_at_precision_0.98", percent),
        row("expected calibration error, mean, 15 bins", "none publishes one", "0.03", "mean", "expected_calibration_error"),
    ]


def table_rows(unseen: dict, shipped: dict) -> list[Row]:
    """The lines of the table that two whole tables answer."""

    def blocking(found: dict) -> str:
        return f"{number(found['completeness'], 4)} / {number(found['reduction'], 4)}"

    f1 = [number(found["linked"]["f1"]) for found in (unseen, shipped)]
    return [
        ("Pittsburgh, whole tables end to end, F1", "0.919", "0.94", *f1),
        ("candidate completeness / reduction, Pittsburgh", "0.981 / 0.992", "0.995 / 0.99", blocking(unseen), blocking(shipped)),
    ]


# What another command measures: its line of the table, and where to run it.
ELSEWHERE: list[Row] = [
    ("10 million records conflated on 2 cores", "–", "5 min, 12 GB", "not measured here", ""),
]


CALIBRATION = "expected calibration error of charging.toml, 15 bins"


def truth_rows(known: dict) -> list[Row]:
    """The lines of the table that invented records and real sites of several operators answer."""
    stations = [told for told in known["invented"] if "sites_of_two_operators" in told]
    f1 = [told["b_cubed"]["f1"] for told in stations]
    sites, as_stated, mixed = (sum(told[key] for told in stations) for key in ("sites_of_two_operators", "mixed_as_stated", "mixed"))

    def share(some: int, of: int) -> str:
        return f"{percent(some / of) if of else '–'} ({some} of {of})"

    wrongly = "different operators on one site wrongly merged"
    anchor = "rivals' rules merge nearly all under 50 m"
    rows = [
        ("synthetic truth, B-cubed F1, lowest of the sets", "–", "0.97", "–", number(min(f1), 4)),
        (f"{wrongly}, invented, both stated", anchor, "1 %", "–", share(as_stated, sites)),
        (f"{wrongly}, invented, stated or not", anchor, "–", "–", share(mixed, sites)),
        (f"{CALIBRATION}, invented, mean of the sets", "none publishes one", "0.03", "–",
         number(sum(told["calibration_error"] for told in stations) / len(stations))),
    ]
    for told in known["operators"]:
        rows += [
            (f"{wrongly}, {told['set']}, in one source", anchor, "1 %", "–", share(told["merged_within_one_source"], told["pairs"])),
            (f"{wrongly}, {told['set']}, between two, both informative", anchor, "1 %", "–",
             share(told["merged_informative"], told["informative"])),
            (f"{wrongly}, {told['set']}, between two, all", anchor, "–", "–",
             share(told["merged_between_two"], told["pairs_between_two"])),
        ]
    return rows


def register_rows(found: list[Against]) -> list[Row]:
    """The lines of the table that Open Charge Map and registers answer."""
    rows: list[Row] = []
    for told in found:
        hidden = told.known["hidden_ids"]
        if hidden["known_pairs"]:
            recall, precision = hidden["recall"], hidden["precision"]
            shares = f"{recall['share']:.3f} ({recall['hits']} of {recall['of']}) / " + (f"{precision['share']:.3f}" if precision else "–")
            rows.append((f"OCM against {told.register}, pairs known by id, ids hidden: recall / precision", "–", "0.99 / 0.98", "–", shares))
        by_verdict, calibration = told.pairs["by_verdict"], told.pairs["calibration"]
        if calibration["matches"]:
            error = f"{number(calibration['expected_error'])} ({calibration['matches']} of {calibration['pairs']} pairs are one)"
            rows.append((f"{CALIBRATION}, OCM against {told.register}, ids and device numbers hidden", "none publishes one", "0.03", "–", error))
        counts = f"{by_verdict.get('match', 0)} / {by_verdict.get('review', 0)}"
        rows.append((f"OCM against {told.register}, pairs between the two: matched / to review", "–", "reported", "–", counts))
    for change in found[0].other_ids if found else []:
        places = sum(told.counts["places"] for told in found)
        changed = sum(told.other_ids[change] for told in found)
        rows.append((f"ids changed without real change, {change}", "29.6 % seen elsewhere", "0", "–", f"{changed} of {places}"))
    return rows


def print_table(rows: list[Row]) -> None:
    print("| measure | anchor | must reach | measured, city unseen | shipped model |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row)} |")


def print_sets(held_out: dict) -> None:
    print("\n| set | fitted on | pairs | matches | at | precision | recall | F1 | F1 1:1 | best F1 | recall at 0.98 | AP | ECE | review at 0.98 |")
    print("|" + "---|" * 14)
    for found in held_out["sets"]:
        at, best, review = found["at_match_score"], found["best"], found["review_at_precision_0.98"]
        groups = sorted({other["group"] for other in held_out["sets"]} - {found["group"]})
        figures = [
            number(found["match_score"], 2), number(at["precision"]), number(at["recall"]), number(at["f1"]),
            number(found["one_to_one"]["f1"]), number(best and best["at"]["f1"]), number(found["recall_at_precision_0.98"]),
            number(found["average_precision"]), number(found["calibration"]["expected_error"]), percent(review and review["share"]),
        ]
        print(f"| {found['set']} | {', '.join(groups)} | {found['pairs']} | {found['matches']} | {' | '.join(figures)} |")


def main() -> None:
    arguments = argparse.ArgumentParser(usage=__doc__)
    arguments.add_argument("--data", type=Path, default=DATA)
    arguments.add_argument("--poimill", type=Path, help="else it is built")
    arguments.add_argument("--profile", default="release", help="how cargo builds; else release")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--keep", type=Path, help="folder for the fitted models, wrong pairs and plots; else they are thrown away")
    told = arguments.parse_args()
    if not told.data.is_dir():
        sys.exit(f"{told.data} is not there; set POIMILL_DATA to the folder of real data, or give --data")
    poimill = Poimill(told.poimill or built(told.profile), told.threads)
    matching = told.data / "matching"
    cities = cities_below(matching / "geo-er")
    rows: list[Row] = []
    notes: list[str] = []

    with tempfile.TemporaryDirectory() as scratch:
        work = told.keep or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        held_out = None
        if len(cities) > 1:
            held_out = poimill.eval(matching / "geo-er", "--hold-out", "--errors", work / "geo-er-wrong.csv",
                                    "--plot", work / "geo-er.svg")
            shipped = poimill.eval(matching / "geo-er")
            rows += pair_rows(held_out, shipped)
            notes.append(f"the shipped model was fitted on: {shipped['sets'][0]['fitted_on']}")
        else:
            notes.append(f"{matching / 'geo-er'} has fewer than two cities, so none can be left out")

        tables = matching / "ger-llm-pittsburgh"
        others = [folder for city, folders in cities.items() if city != TABLES_CITY for folder in folders]
        labels = sorted(tables.glob("labeled_*.csv"))
        if labels and others:
            model = work / f"without-{TABLES_CITY}.toml"
            fitted = poimill.eval(*others, "--fit", model)
            whole = ["--tables", *sorted(tables.glob("osm_poi_*.csv")), *sorted(tables.glob("fsq_poi_*.csv")), "--truth", labels[0]]
            rows += table_rows(poimill.eval(*whole, "--model", model, "--errors", work / "tables-wrong.csv"), poimill.eval(*whole))
            notes.append(f"the whole tables were matched by a model fitted on: {fitted['sets'][0]['fitted_on']}")
        else:
            notes.append(f"no whole tables in {tables}, or no city but theirs to fit on")

        known = truth(told.profile, str(told.data.resolve()))
        registers = against(poimill, told.data, Path(scratch) / "registers", lambda snapshot: truth(told.profile, "pairs", snapshot))
        rows += truth_rows(known) + register_rows(registers)
        notes += [f"{of['set']}: merged though the operators differ: {of['merged']}" for of in known["operators"] if of["merged"]]
        print_table(rows + ELSEWHERE)
        if held_out:
            print_sets(held_out)
        print()
        for note in notes:
            print(f"- {note}")


if __name__ == "__main__":
    main()

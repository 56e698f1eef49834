"""Opens a GeoParquet table as analysts do, and fails where one of their readers so much as warns.

    python read_places.py latest/places.parquet

Prints one JSON line per reader: rows, bounds, geometry types and the reader's types of a few columns. Then has
`gpio check spec` judge the file. Exit code 0: every reader agrees on the rows, and no check failed.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

COLUMNS = ["id", "geometry", "footprint", "category", "names", "address", "connectors", "confidence", "content_hash"]


def home_with_spatial(home: str) -> str:
    """A home folder in which DuckDB, and whoever calls it, finds the spatial extension without a download."""
    import duckdb
    import duckdb_extension_spatial

    platform = duckdb.sql("pragma platform").fetchone()[0]
    version = f"v{duckdb.__version__}"
    packaged = Path(duckdb_extension_spatial.__file__).parent / "extensions" / version / "spatial.duckdb_extension"
    folder = Path(home) / ".duckdb" / "extensions" / version / platform
    folder.mkdir(parents=True)
    shutil.copy(packaged, folder)
    return home


def read_with_duckdb(path: str) -> dict:
    import duckdb

    with duckdb.connect() as db:
        db.execute("load spatial")
        types = dict(db.execute("select column_name, column_type from (describe from read_parquet(?))", [path]).fetchall())
        rows, *bounds = db.execute(
            "select count(*), min(st_xmin(geometry)), min(st_ymin(geometry)), max(st_xmax(geometry)), max(st_ymax(geometry))"
            " from read_parquet(?)",
            [path],
        ).fetchone()
        kinds = db.execute(
            "select distinct st_geometrytype(geometry)::varchar from read_parquet(?) order by 1", [path]
        ).fetchall()
    return {"rows": rows, "bounds": bounds, "geometry_types": [kind for (kind,) in kinds], "types": types}


def read_with_geopandas(path: str) -> dict:
    import geopandas

    frame = geopandas.read_parquet(path)
    assert frame.crs is not None and frame.crs.to_string() in ("EPSG:4326", "OGC:CRS84"), frame.crs
    assert frame.geometry.is_valid.all(), "a geometry is not valid"
    return {
        "rows": len(frame),
        "bounds": [float(bound) for bound in frame.total_bounds] if len(frame) else [None] * 4,
        "geometry_types": sorted(frame.geom_type.unique()),
        "types": {name: str(kind) for name, kind in frame.dtypes.items()},
    }


def read_with_polars(path: str) -> dict:
    import polars

    frame = polars.read_parquet(path)
    box = frame["bbox"].struct.unnest()
    return {
        "rows": frame.height,
        "bounds": [box["xmin"].min(), box["ymin"].min(), box["xmax"].max(), box["ymax"].max()],
        "types": {name: str(kind) for name, kind in frame.schema.items()},
    }


def check_spec(path: str) -> dict:
    """Judges every row, not a sample. A warning is a failure too."""
    gpio = Path(sys.executable).with_name("gpio")
    done = subprocess.run(
        [gpio, "check", "spec", "--json", "--sample-size", "0", path], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"gpio check spec ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout)


def main() -> None:
    path = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home_with_spatial(home)
        warnings.simplefilter("error")
        rows = set()
        for reader in (read_with_duckdb, read_with_geopandas, read_with_polars):
            seen = reader(path)
            seen["types"] = {name: seen["types"][name] for name in COLUMNS if name in seen["types"]}
            rows.add(seen["rows"])
            print(json.dumps({"reader": reader.__name__.removeprefix("read_with_"), **seen}))
        if len(rows) != 1:
            sys.exit(f"the readers disagree on the number of rows: {sorted(rows)}")
        print(json.dumps({"reader": "gpio", **check_spec(path)}))


if __name__ == "__main__":
    main()

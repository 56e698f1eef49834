"""Opens every table of a snapshot as analysts do, and fails where one of their readers so much as warns.

    python read_tables.py latest

Prints one JSON line per table and reader: rows, and of pyarrow the exact schema. DuckDB, polars and GeoPandas must show the
same columns in their own types. Then has `gpio check all` and `gpio check spec` judge each table with geometries. Exit code 0:
every reader agrees, and no check failed or warned.
"""

import json
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

# Polars 2.1 does not know Parquet's GEOMETRY type and refuses the file; it reads it by way of pyarrow.
POLARS_DOES_NOT_KNOW_GEOMETRY = "LogicalType union has no variant set"

# What gpio says that is no fault: the level of compression is ours to choose.
NO_FAULTS = ("compression level",)


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


def geo_of(schema) -> dict | None:
    geo = (schema.metadata or {}).get(b"geo")
    return json.loads(geo) if geo else None


def in_duckdb(kind, is_geometry: bool) -> str:
    """What DuckDB calls an Arrow type."""
    import pyarrow as pa

    if is_geometry:
        return "GEOMETRY"
    if pa.types.is_list(kind):
        return in_duckdb(kind.value_type, False) + "[]"
    if pa.types.is_struct(kind):
        return f"STRUCT({', '.join(f'{field.name} {in_duckdb(field.type, False)}' for field in kind)})"
    if pa.types.is_map(kind):
        return f"MAP({in_duckdb(kind.key_type, False)}, {in_duckdb(kind.item_type, False)})"
    if pa.types.is_fixed_size_binary(kind):
        return "BLOB"
    names = {
        "string": "VARCHAR", "bool": "BOOLEAN", "int32": "INTEGER", "int64": "BIGINT", "float": "FLOAT",
        "double": "DOUBLE", "timestamp[us, tz=UTC]": "TIMESTAMP WITH TIME ZONE",
    }  # fmt: skip
    return names[str(kind)]


def in_polars(kind):
    """What polars makes of an Arrow type."""
    import polars
    import pyarrow as pa

    if pa.types.is_list(kind):
        return polars.List(in_polars(kind.value_type))
    if pa.types.is_struct(kind):
        return polars.Struct({field.name: in_polars(field.type) for field in kind})
    if pa.types.is_map(kind):
        return polars.Map(in_polars(kind.key_type), in_polars(kind.item_type))
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind):
        return polars.Binary
    names = {
        "string": polars.String, "bool": polars.Boolean, "int32": polars.Int32, "int64": polars.Int64,
        "float": polars.Float32, "double": polars.Float64, "timestamp[us, tz=UTC]": polars.Datetime("us", "UTC"),
    }  # fmt: skip
    return names[str(kind)]


def in_pandas(kind, has_missing: bool) -> str:
    """The dtype that pandas has for an Arrow type."""
    names = {
        "string": "str", "bool": "object" if has_missing else "bool", "float": "float32", "double": "float64",
        "int32": "float64" if has_missing else "int32", "int64": "float64" if has_missing else "int64",
        "timestamp[us, tz=UTC]": "datetime64[us, UTC]",
    }  # fmt: skip
    return names.get(str(kind), "object")


def agree(reader: str, path: Path, actual: dict, expected: dict) -> None:
    if list(actual.items()) != list(expected.items()):
        differing = {name: (actual.get(name), kind) for name, kind in expected.items() if actual.get(name) != kind}
        sys.exit(f"{reader} and {path.name}: columns {list(actual)}, of these not as expected: {differing}")


def read_with_pyarrow(path: Path) -> dict:
    import pyarrow.parquet

    table = pyarrow.parquet.ParquetFile(path).read()
    table.validate(full=True)
    columns = [[field.name, str(field.type), field.nullable] for field in table.schema]
    return {"rows": table.num_rows, "columns": columns, "about": json.loads(table.schema.metadata[b"poimill"])}


def read_with_duckdb(path: Path, schema) -> dict:
    import duckdb

    geometries = (geo_of(schema) or {"columns": {}})["columns"]
    with duckdb.connect() as db:
        db.execute("load spatial")
        types = db.execute("select column_name, column_type from (describe from read_parquet(?))", [str(path)]).fetchall()
        # 1.1 states the reference system in `geo`, 2.0 by leaving it out; both mean longitude first.
        types = {name: "GEOMETRY" if kind == "GEOMETRY('OGC:CRS84')" else kind.replace('"', "") for name, kind in types}
        agree("DuckDB", path, types, {field.name: in_duckdb(field.type, field.name in geometries) for field in schema})
        # Hashing a row reads all of it.
        rows, _ = db.execute("select count(*), bit_xor(hash(t)) from read_parquet(?) t", [str(path)]).fetchone()
        told = {"rows": rows}
        if geometries:
            primary = geo_of(schema)["primary_column"]
            kinds = f"select distinct st_geometrytype({primary})::varchar from read_parquet(?) where {primary} is not null order by 1"
            told["geometry_types"] = [kind for (kind,) in db.execute(kinds, [str(path)]).fetchall()]
    return told


def read_with_polars(path: Path, schema) -> dict:
    import polars

    told = {}
    try:
        frame = polars.read_parquet(path)
    except polars.exceptions.ComputeError as error:
        if POLARS_DOES_NOT_KNOW_GEOMETRY not in str(error) or geo_of(schema)["version"] != "2.0.0":
            raise
        told["by_way_of_pyarrow"] = True
        frame = polars.read_parquet(path, use_pyarrow=True)
    agree("polars", path, dict(frame.schema), {field.name: in_polars(field.type) for field in schema})
    return {"rows": frame.height, **told}


def read_with_geopandas(path: Path, schema) -> dict:
    import geopandas
    import pandas

    geo = geo_of(schema)
    if geo is None:
        frame = pandas.read_parquet(path)
    else:
        frame = geopandas.read_parquet(path)
        assert frame.crs is not None and frame.crs.to_string() in ("EPSG:4326", "OGC:CRS84"), frame.crs
        for column in geo["columns"]:
            assert frame[column].dropna().is_valid.all(), f"a geometry of {column} is not valid"
    # GeoPandas reads by the covering and does not show it.
    covering = {box["xmin"][0] for about in geo["columns"].values() for box in about.get("covering", {}).values()} if geo else {}
    missing = frame.isna().any()
    expected = {
        field.name: "geometry" if geo and field.name in geo["columns"] else in_pandas(field.type, missing[field.name])
        for field in schema
        if field.name not in covering
    }
    agree("GeoPandas", path, {name: str(kind) for name, kind in frame.dtypes.items()}, expected)
    return {"rows": len(frame)}


def check_with_gpio(path: Path) -> dict:
    """Judges every row, not a sample. A warning is a failure too, but for columns without a value: nothing has no box."""
    import pyarrow.parquet
    from click.testing import CliRunner
    from geoparquet_io.cli.main import cli

    file = pyarrow.parquet.ParquetFile(path)
    columns = geo_of(file.schema_arrow)["columns"]
    empty = [name for name in columns if (values := file.read(columns=[name])[name]).null_count == len(values)]

    def run(*args: str) -> str:
        # gpio and what it brings warn of their own affairs; what it says of the file is in its output.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done = CliRunner().invoke(cli, ["check", *args, str(path)])
        # 2 says that something was warned of; what, is judged below.
        if done.exit_code not in (0, 2):
            sys.exit(f"gpio check {args[0]} of {path} ended with {done.exit_code}:\n{done.output}\n{done.exception!r}")
        return done.output

    spec = json.loads(run("spec", "--json", "--sample-size", "0"))
    said_of_nothing = ("missing geospatial statistics", "not found in parquet metadata")
    no_box = {f'geometry column "{name}" {words}' for name in empty for words in said_of_nothing}
    faults = [check for check in spec["checks"] if check["status"] not in ("passed", "skipped")]
    if not spec["is_valid"] or any(check["message"] not in no_box for check in faults):
        sys.exit(f"gpio check spec of {path} finds fault:\n{json.dumps(spec, indent=1)}")
    # Of a table without rows there is no more to judge than whether it keeps to the specification.
    if file.metadata.num_rows:
        said = run("all")
        faults = [line for line in said.splitlines() if any(sign in line for sign in ("⚠", "❌", "✗", "WARNING", "ERROR"))]
        known = (*NO_FAULTS, f"passed, {len(empty)} warnings") if empty else NO_FAULTS
        if any(not any(words in line for words in known) for line in faults):
            sys.exit(f"gpio check all of {path} finds fault:\n{said}")
    return spec["summary"]


def main() -> None:
    import pyarrow.parquet

    snapshot = Path(sys.argv[1]).resolve()
    seen = {}
    with_geometries = []
    for path in sorted(snapshot.rglob("*.parquet")):
        table = path.relative_to(snapshot).with_suffix("").as_posix()
        schema = pyarrow.parquet.read_schema(path)
        seen[table] = {"pyarrow": read_with_pyarrow(path)}
        for reader in (read_with_duckdb, read_with_polars, read_with_geopandas):
            seen[table][reader.__name__.removeprefix("read_with_")] = reader(path, schema)
        if len({told["rows"] for told in seen[table].values()}) != 1:
            sys.exit(f"the readers disagree on the number of rows of {table}: {seen[table]}")
        if geo_of(schema):
            with_geometries.append((table, path))
    # Last, because what it brings changes what pyarrow makes of geometries.
    for table, path in with_geometries:
        seen[table]["gpio"] = check_with_gpio(path)
    for table, readers in seen.items():
        for reader, told in readers.items():
            print(json.dumps({"table": table, "reader": reader, **told}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["HOME"] = home_with_spatial(home)
        warnings.simplefilter("error")
        main()

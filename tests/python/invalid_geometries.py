"""Has GEOS judge every geometry of a layer, and prints what it says of those that are not valid or empty.

    python invalid_geometries.py latest/layers/everything.parquet

The last line is the number of rows.
"""

import sys

import pyarrow.parquet
import shapely

table = pyarrow.parquet.read_table(sys.argv[1], columns=["osm_type", "osm_id", "kind", "geometry"])
geometries = shapely.from_wkb(table["geometry"].to_numpy())
bad = ~shapely.is_valid(geometries) | shapely.is_empty(geometries)
for row in bad.nonzero()[0].tolist():
    osm_type, osm_id, kind = (table[column][row].as_py() for column in ["osm_type", "osm_id", "kind"])
    print(f"{osm_type}/{osm_id} {kind}: {shapely.is_valid_reason(geometries[row])}")
print(len(geometries))

//! What a reader can skip: of a million places over the globe, a query for one city touches few row groups.
//!
//! Only positions and boxes are written, by the writer of snapshots; other columns skip nothing.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::BinaryBuilder;
use arrow_array::{ArrayRef, Float32Array, RecordBatch, StructArray};
use arrow_schema::DataType;
use osmpbf::{Element, ElementReader};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::statistics::Statistics;
use poimill::adapters::geoparquet::{FolderStore, GeoParquetVersion, Layout};
use poimill::domain::{LonLat, hilbert_key};
use poimill::pipeline::ports::{Credits, MakeBatch, SnapshotStore};
use poimill::pipeline::tabulate::{Table, group_rows, tables};

use crate::support::{real_data, skipped};

/// Rows of the table.
const ROWS: usize = 1_000_000;
/// Cities that are asked for.
const CITIES: usize = 500;
/// From the middle of a city to its edge, in degrees: 22 km from north to south.
const HALF_DEG: f64 = 0.1;
/// Most row groups that a query for a city may read.
const MOST_SHARE: f64 = 0.1;

/// West, south, east, north.
type Edges = [f64; 4];

/// As many places as asked for, from these copied side by side around the globe.
fn multiplied(some: &[LonLat]) -> Vec<LonLat> {
    let copies = ROWS.div_ceil(some.len());
    let shifted = |copy: usize, at: &LonLat| {
        let lon = at.lon() + 180.0 + 360.0 * copy as f64 / copies as f64;
        LonLat::new(lon.rem_euclid(360.0) - 180.0, at.lat()).expect("a longitude goes round")
    };
    let all = (0..copies).flat_map(|copy| some.iter().map(move |at| shifted(copy, at)));
    let mut all: Vec<LonLat> = all.take(ROWS).collect();
    all.sort_by_cached_key(|at| hilbert_key(*at));
    all
}

/// Places of invented towns: most of them near the middle of one, towns in the latitudes where people live.
fn invented() -> Vec<LonLat> {
    let mut state = 7_u64;
    let mut dice = move || {
        // splitmix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as f64 / u64::MAX as f64
    };
    let mut places = Vec::new();
    for _ in 0..40 {
        let (lon, lat) = (dice() * 240.0 - 120.0, dice() * 90.0 - 30.0);
        for _ in 0..1250 {
            let away = dice() * dice() * 0.3;
            let (lon, lat) = (lon + away * (dice() - 0.5), lat + away * (dice() - 0.5));
            places.push(LonLat::new(lon, lat).expect("towns are far from the edges of the world"));
        }
    }
    places
}

/// The places of an extract that are mapped as nodes.
fn mapped(extract: &Path) -> Vec<LonLat> {
    let mut places = Vec::new();
    let is_place = |key: &str| matches!(key, "amenity" | "shop" | "tourism");
    let read = ElementReader::from_path(extract).expect("an extract").for_each(|element| {
        if let Element::DenseNode(node) = element
            && node.tags().any(|(key, _)| is_place(key))
        {
            places.push(LonLat::new(node.lon(), node.lat()).expect("a node is somewhere"));
        }
    });
    read.expect("the extract can be read");
    places
}

/// Writes the table into a folder, and returns what its file says.
fn written(folder: &Path, places: &[LonLat], version: GeoParquetVersion) -> ParquetMetaData {
    let kept = tables::PLACES.columns.iter().filter(|column| ["geometry", "bbox"].contains(&&*column.name));
    let table = Table { columns: kept.cloned().collect::<Vec<_>>().into(), ..tables::PLACES.clone() };
    let layout = Layout { version, ..Layout::default() };
    let store = FolderStore::new(folder, "globe").with_layout(layout);
    let staging = store.stage(&Credits::default()).expect("a place to write to");
    let batch = |places: &[LonLat]| {
        let mut geometry = BinaryBuilder::new();
        for at in places {
            let (lon, lat) = (at.lon().to_le_bytes(), at.lat().to_le_bytes());
            geometry.append_value([&[1, 1, 0, 0, 0][..], &lon, &lat].concat());
        }
        let edge = |of: fn(&LonLat) -> f32| Arc::new(places.iter().map(of).collect::<Float32Array>()) as ArrayRef;
        let edges = vec![
            edge(|at| (at.lon() as f32).next_down()),
            edge(|at| (at.lat() as f32).next_down()),
            edge(|at| (at.lon() as f32).next_up()),
            edge(|at| (at.lat() as f32).next_up()),
        ];
        let DataType::Struct(fields) = table.schema().field(1).data_type().clone() else {
            unreachable!("a box is a struct")
        };
        let columns: Vec<ArrayRef> = vec![Arc::new(geometry.finish()), Arc::new(StructArray::new(fields, edges, None))];
        RecordBatch::try_new(table.schema(), columns).expect("the columns are those of the table")
    };
    let batch = &batch;
    let mut batches =
        places.chunks(group_rows(places.len())).map(|some| Ok(Box::new(move || Ok(batch(some))) as MakeBatch<'_>));
    staging.write(&table, &mut batches).expect("the table can be written");
    let file = File::open(store.work().join("staging/places.parquet")).expect("the table was written");
    let mut reader = ParquetMetaDataReader::new().with_page_index_policy(PageIndexPolicy::Optional);
    reader.try_parse(&file).expect("it is Parquet");
    reader.finish().expect("it is Parquet")
}

fn meets(a: Edges, b: Edges) -> bool {
    a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3]
}

/// Where the four edges of the covering stand in a row group.
fn covering(group: &RowGroupMetaData) -> [usize; 4] {
    ["xmin", "ymin", "xmax", "ymax"].map(|edge| {
        let is_edge = |at: &usize| group.column(*at).column_path().string() == format!("bbox.{edge}");
        (0..group.num_columns()).find(is_edge).expect("1.1 has a covering")
    })
}

/// The box of a row group, by its statistics.
fn box_of(group: &RowGroupMetaData, version: GeoParquetVersion) -> Edges {
    if version == GeoParquetVersion::V2_0 {
        let seen = group.column(0).geo_statistics().expect("a native geometry has statistics");
        assert_eq!(seen.geospatial_types(), Some(&vec![1]), "points");
        let seen = seen.bounding_box().expect("there are positions");
        return [seen.get_xmin(), seen.get_ymin(), seen.get_xmax(), seen.get_ymax()];
    }
    let edges = covering(group).map(|at| {
        let Some(Statistics::Float(edge)) = group.column(at).statistics() else {
            unreachable!("an edge has statistics")
        };
        [edge.min_opt(), edge.max_opt()].map(|edge| f64::from(*edge.expect("an edge has values")))
    });
    [edges[0][0], edges[1][0], edges[2][1], edges[3][1]]
}

/// The boxes of the pages of a row group, by the column index of its covering.
fn boxes_of_pages(file: &ParquetMetaData, group: usize) -> Vec<Edges> {
    let index = &file.column_index().expect("the covering has a page index")[group];
    let edges = covering(file.row_group(group)).map(|at| {
        let ColumnIndexMetaData::FLOAT(pages) = &index[at] else { unreachable!("an edge has a page index") };
        let values = |values: &[f32]| values.iter().copied().map(f64::from).collect::<Vec<_>>();
        [values(pages.min_values()), values(pages.max_values())]
    });
    (0..edges[0][0].len())
        .map(|page| [edges[0][0][page], edges[1][0][page], edges[2][1][page], edges[3][1][page]])
        .collect()
}

/// Asks for cities all over the table, and has a reader say how many row groups it must read for each.
fn assert_cities_skip(some: &[LonLat]) {
    let places = multiplied(some);
    let cities: Vec<Edges> = places
        .iter()
        .step_by(ROWS / CITIES)
        .map(|at| [at.lon() - HALF_DEG, at.lat() - HALF_DEG, at.lon() + HALF_DEG, at.lat() + HALF_DEG])
        .collect();
    for version in [GeoParquetVersion::V1_1, GeoParquetVersion::V2_0] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = written(folder.path(), &places, version);
        assert_eq!(file.num_row_groups(), 20);
        let boxes: Vec<Edges> = file.row_groups().iter().map(|group| box_of(group, version)).collect();
        let groups = boxes.len() as f64;
        let shares: Vec<f64> =
            cities.iter().map(|city| boxes.iter().filter(|of| meets(**of, *city)).count() as f64 / groups).collect();
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let few = shares.iter().filter(|share| **share <= MOST_SHARE).count() as f64 / shares.len() as f64;
        assert!(mean <= MOST_SHARE && few >= 0.75, "{version:?}: {mean} on average, {few} of the cities");
        if version == GeoParquetVersion::V1_1 {
            let pages: Vec<Vec<Edges>> = (0..boxes.len()).map(|group| boxes_of_pages(&file, group)).collect();
            for city in &cities {
                let read =
                    pages.iter().filter(|pages| pages.iter().any(|of| meets(*of, *city))).count() as f64 / groups;
                assert!(read <= MOST_SHARE, "{city:?}: with page indexes {read} of the row groups");
            }
        }
    }
}

#[test]
fn a_city_of_invented_towns_is_in_a_tenth_of_the_row_groups() {
    assert_cities_skip(&invented());
}

#[test]
fn a_city_of_the_world_sample_is_in_a_tenth_of_the_row_groups() {
    let Some(data) = real_data() else { return skipped("a_city_of_the_world_sample_is_in_a_tenth_of_the_row_groups") };
    assert_cities_skip(&mapped(&data.join("osm/world-sample.osm.pbf")));
}

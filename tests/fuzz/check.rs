//! Reads a file in every way that a pipeline may ask for, and asserts what always holds: nothing panics, nothing is
//! lost, no area is invalid.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::sync::OnceLock;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use geo::{Coord, CoordsIter, Geometry, Validation};
use geozero::ToGeo;
use geozero::wkb::Wkb;
use poimill::adapters::memory::MemoryScratch;
use poimill::adapters::osm::OsmPbf;
use poimill::domain::{
    AreaRules, BBox, ConnectorCodes, Feature, Filter, GeometryKind, Incomplete, Layer, Metres, Promoted, PromotedKind,
    Region, Shape, Taxonomy,
};
use poimill::pipeline::RunError;
use poimill::pipeline::layers::{Sorter, layer_batch, layer_table};
use poimill::pipeline::ports::{Demand, Extracted, Observer, Source, Unit};

/// What the readings have in common.
struct Asked {
    world: Region,
    town: Region,
    places: Taxonomy,
    nothing: Taxonomy,
    area_rules: AreaRules,
    connectors: ConnectorCodes,
    layers: Vec<Layer>,
}

/// What one reading gave.
#[derive(Default)]
struct Seen {
    features: Vec<Feature>,
    rejects: u64,
    rows: BTreeMap<usize, Sorter>,
    layer_rejects: BTreeMap<usize, u64>,
}

struct Silent;

impl Observer for Silent {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn note(&self, _: &str) {}
}

/// Reads a file in every way; returns how many objects it has, or why it cannot be read.
///
/// # Panics
///
/// When what always holds does not.
pub(crate) fn read(file: &Path) -> Result<u64, String> {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    let asked = ASKED.get_or_init(Asked::new);
    let source = OsmPbf::new("osm", file);
    let checked = source.check();

    let everywhere = asked.demand(&asked.world, &asked.places, &[]);
    let both = asked.demand(&asked.town, &asked.places, &asked.layers);
    let layers = asked.demand(&asked.world, &asked.nothing, &asked.layers);
    let read = [everywhere, both, layers].map(|demand| reading(&source, &demand));

    // A reading that skips what is not wanted may not see that it is damaged; what it does see, it counts.
    let mut counts = read.iter().filter_map(|count| count.as_ref().ok());
    if let Some(first) = counts.next() {
        assert!(counts.all(|count| count == first), "objects read: {read:?}");
        assert!(checked.is_ok(), "read, but refused by a look at it: {checked:?}");
    }
    let [everywhere, ..] = read;
    everywhere.map_err(|error| told(&error))
}

/// An error with its causes.
fn told(error: &RunError) -> String {
    let (mut told, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

/// Reads once; returns the number of objects.
fn reading(source: &OsmPbf, demand: &Demand<'_>) -> Result<u64, RunError> {
    let mut seen = Seen::default();
    let extracted = source.read(demand, &Silent, &mut |chunk| {
        if chunk.again {
            seen = Seen::default();
        }
        seen.features.extend(chunk.features);
        seen.rejects += chunk.rejects.len() as u64;
        for (layer, rows) in chunk.layer_rows {
            seen.rows.entry(layer).or_default().push(rows);
        }
        for (layer, _) in chunk.layer_rejects {
            *seen.layer_rejects.entry(layer).or_default() += 1;
        }
        Ok(())
    });
    let extracted = match extracted {
        Ok(extracted) => extracted,
        Err(error @ RunError::Input { .. }) => return Err(error),
        Err(error) => panic!("not the fault of an input: {error:?}"),
    };
    seen.check(&extracted, demand);
    Ok(extracted.read)
}

impl Seen {
    fn check(mut self, extracted: &Extracted, demand: &Demand<'_>) {
        let told = self.features.len() as u64 + self.rejects + extracted.left_out.total();
        assert_eq!(extracted.read, told, "places: read = features + rejects + left out; {extracted:?}");
        for feature in &self.features {
            if let Shape::Area(area) = &feature.shape {
                let invalid = area.check_validation();
                assert!(invalid.is_ok(), "{}: {invalid:?}", feature.id);
            }
        }
        assert_eq!(extracted.layers.len(), demand.layers.len(), "every layer is counted");
        assert_eq!(extracted.objects.values().sum::<u64>(), extracted.read, "{:?}", extracted.objects);
        for (at, count) in extracted.layers.iter().enumerate() {
            let layer = &demand.layers[at];
            let name = &layer.name;
            let told = count.kept + count.rejected + count.left_out.total();
            assert_eq!(extracted.read, told, "{name}: read = kept + rejected + left out; {count:?}");
            let rows = rows(layer, self.rows.remove(&at).unwrap_or_default());
            assert!((count.kept..=2 * count.kept).contains(&rows), "{name}: {rows} rows of {} objects", count.kept);
            let rejects = self.layer_rejects.get(&at).copied().unwrap_or_default();
            assert!(rejects >= count.rejected, "{name}: {rejects} rejects of {} objects", count.rejected);
        }
        assert!(self.rows.is_empty(), "rows of layers that are not counted: {:?}", self.rows.keys());
    }
}

/// Looks at every row of a layer as it would be written; returns their number.
fn rows(layer: &Layer, rows: Sorter) -> u64 {
    let (name, told) = (&layer.name, rows.rows());
    let table = layer_table(layer);
    let mut keys = BTreeSet::new();
    for chunk in rows.finish(&MemoryScratch).expect("rows can be sorted in memory") {
        let chunk = chunk.expect("rows can be sorted in memory");
        let (batch, _) = layer_batch(&table, layer, &chunk).expect("rows fit their table");
        let column = |column: &str| batch.column_by_name(column).expect("a column of layers");
        let (types, kinds) = (column("osm_type").as_string::<i32>(), column("kind").as_string::<i32>());
        let (ids, shapes) = (column("osm_id").as_primitive::<Int64Type>(), column("geometry").as_binary::<i32>());
        let incomplete = column("incomplete").as_boolean();
        for row in 0..batch.num_rows() {
            let key = (types.value(row).to_owned(), ids.value(row), kinds.value(row).to_owned());
            let allowed = layer.incomplete == Incomplete::KeepFlagged || !incomplete.value(row);
            assert!(allowed, "{name}: {key:?} is incomplete");
            assert!(layer.kinds.iter().any(|kind| kind.name() == key.2), "{name}: {key:?} is of another kind");
            let shape = Wkb(shapes.value(row)).to_geo().expect("a geometry in WKB");
            let invalid = shape.check_validation();
            assert!(invalid.is_ok(), "{name}: {key:?}: {invalid:?}");
            let on_earth = |at: Coord| at.x.abs() <= 180.0 && at.y.abs() <= 90.0;
            assert!(shape.coords_iter().all(on_earth), "{name}: {key:?} is not on Earth");
            let of_its_kind = match shape {
                Geometry::Point(_) => key.2 == "point",
                Geometry::LineString(_) => key.2 == "line",
                Geometry::Polygon(_) | Geometry::MultiPolygon(_) => key.2 == "area",
                _ => false,
            };
            assert!(of_its_kind, "{name}: {key:?} is no {}", key.2);
            assert!(keys.insert(key), "{name}: a row is there twice");
        }
    }
    assert_eq!(keys.len() as u64, told, "{name}: rows that were handed on are there");
    told
}

impl Asked {
    fn new() -> Self {
        let categories = include_str!("../../pipelines/categories.toml");
        let taxonomy = |themes: &[&str]| {
            let themes: Vec<String> = themes.iter().map(|theme| (*theme).to_owned()).collect();
            Taxonomy::parse(categories, &themes).expect("themes of the categories")
        };
        let layer = |name: &str, filter: &str, kinds: &[GeometryKind], incomplete| Layer {
            name: name.to_owned(),
            source: "osm".to_owned(),
            filter: Filter::parse(&[filter]).expect("a filter"),
            kinds: kinds.to_vec(),
            columns: vec![],
            incomplete,
            users: false,
        };
        let all = [GeometryKind::Point, GeometryKind::Line, GeometryKind::Area];
        let columns = [("name", PromotedKind::Text), ("layer", PromotedKind::Integer)];
        let columns = columns.map(|(key, kind)| Promoted { key: key.to_owned(), name: key.to_owned(), kind }).to_vec();
        Self {
            world: Region::world(),
            town: Region::from_bbox(BBox { xmin: 9.0, ymin: 47.0, xmax: 9.5, ymax: 47.5 }, Metres(500.0)),
            places: taxonomy(&["places", "charging"]),
            nothing: taxonomy(&[]),
            area_rules: AreaRules::parse(include_str!("../../pipelines/area-rules.toml")).expect("the area rules"),
            connectors: ConnectorCodes::default(),
            layers: vec![
                layer("whole", "*", &all, Incomplete::Reject),
                Layer { columns, users: true, ..layer("flagged", "*", &all, Incomplete::KeepFlagged) },
                layer("roads", "w/highway and not highway=proposed", &[GeometryKind::Line], Incomplete::KeepFlagged),
                layer("buildings", "a/building,natural", &[GeometryKind::Area], Incomplete::Reject),
            ],
        }
    }

    fn demand<'a>(&'a self, region: &'a Region, taxonomy: &'a Taxonomy, layers: &'a [Layer]) -> Demand<'a> {
        Demand { region, taxonomy, layers, area_rules: &self.area_rules, connectors: &self.connectors }
    }
}

//! Snapshots in memory, built from a few words per place.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use poimill::domain::{Cell, Hash16, Manifest, Release, TableFile, Versions};
use poimill::pipeline::RunError;
use poimill::pipeline::ports::{Observer, Snapshot, Tables, TakeBatch, Unit};
use poimill::pipeline::tabulate::tables::{ADDRESS, CONNECTOR, PLACE_CHANGES, PLACES, PROVENANCE, SOURCES};
use poimill::pipeline::tabulate::{Kind, Table, rows_to_batches};

/// Values by column.
pub(crate) type Row = BTreeMap<&'static str, Cell>;

pub(crate) fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

pub(crate) fn texts(texts: &[&str]) -> Cell {
    Cell::List(texts.iter().map(|t| text(t)).collect())
}

/// A UUID that shows its number.
pub(crate) fn id(n: u32) -> String {
    format!("00000000-0000-5000-8000-{n:012x}")
}

/// A point as little-endian WKB.
pub(crate) fn point(lon: f64, lat: f64) -> Cell {
    Cell::Bytes([&[1, 1, 0, 0, 0][..], &lon.to_le_bytes(), &lat.to_le_bytes()].concat())
}

/// A square of one thousandth of a degree as little-endian WKB.
pub(crate) fn square(lon: f64, lat: f64) -> Cell {
    let mut wkb = vec![1, 3, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0];
    for (x, y) in [(0.0, 0.0), (0.001, 0.0), (0.001, 0.001), (0.0, 0.001), (0.0, 0.0)] {
        wkb.extend(f64::to_le_bytes(lon + x));
        wkb.extend(f64::to_le_bytes(lat + y));
    }
    Cell::Bytes(wkb)
}

/// A struct with the given fields; the others are missing.
fn fields(kind: &Kind, given: &[(&str, Cell)]) -> Cell {
    let Kind::Struct(fields) = kind else { panic!("not a struct") };
    let value =
        |name: &str| given.iter().find(|(given, _)| *given == name).map_or(Cell::Null, |(_, cell)| cell.clone());
    Cell::Struct(fields.iter().map(|(name, _)| (*name, value(name))).collect())
}

/// Place number `n` under this name, with a value in every kind of column. Hashes are made when it becomes part of a table.
pub(crate) fn place(n: u32, name: &str) -> Row {
    let (lon, lat) = (9.5 + f64::from(n) / 1000.0, 47.1);
    let connector = fields(
        &CONNECTOR,
        &[
            ("type", text("type_2")),
            ("power_kw", Cell::Float(7.4)),
            ("count", Cell::Int(2)),
            ("evse_ids", texts(&["LI*1"])),
        ],
    );
    let source = fields(
        &PROVENANCE,
        &[
            ("property", text("")),
            ("dataset", text("osm")),
            ("record_id", text(&format!("node/{n}"))),
            ("update_time", Cell::Time(1_700_000_000_000_000)),
        ],
    );
    Row::from([
        ("id", Cell::Text(id(n))),
        ("geometry", point(lon, lat)),
        ("footprint", if n.is_multiple_of(2) { square(lon, lat) } else { Cell::Null }),
        ("category", text("charging_station")),
        ("alternate_categories", texts(&["parking"])),
        ("name", text(name)),
        ("names", Cell::Map(vec![("de".into(), name.to_owned())])),
        ("address", fields(&ADDRESS, &[("street", text("Städtle")), ("country", text("LI"))])),
        ("fee", Cell::Bool(n.is_multiple_of(2))),
        ("capacity", Cell::Int(4)),
        ("connectors", Cell::List(vec![connector])),
        ("max_power_kw", Cell::Float(7.4)),
        ("tags", Cell::Map(vec![("note".into(), "o'hara \\ \"x\"".into())])),
        ("datasets", texts(&["osm", "ocm"])),
        ("confidence", Cell::Float(0.97)),
        ("sources", Cell::List(vec![source])),
    ])
}

/// The record that a place was made of.
fn record(place: &Row) -> Row {
    let Cell::List(sources) = &place["sources"] else { panic!("sources are a list") };
    let Cell::Struct(source) = &sources[0] else { panic!("a source is a struct") };
    let field = |name| source.iter().find(|(field, _)| *field == name).unwrap().1.clone();
    Row::from([
        ("place_id", place["id"].clone()),
        ("dataset", field("dataset")),
        ("record_id", field("record_id")),
        ("geometry", place["geometry"].clone()),
        ("category", place["category"].clone()),
        ("name", place["name"].clone()),
        ("update_time", field("update_time")),
        ("repairs", texts(&["swapped_position"])),
        ("content_hash", Cell::Bytes(Hash16::of([&place["name"], &place["geometry"]]).0.to_vec())),
        ("evidence", text(r#"{"dataset":0,"categories":["charging_station"]}"#)),
        ("raw", text(r#"{"type":"node","tags":{"amenity":"charging_station"}}"#)),
    ])
}

/// The row with its hashes; `confidence` is left out of the meaning.
pub(crate) fn hashed(mut place: Row) -> Row {
    let cells = |without: &[&str]| {
        Hash16::of(place.iter().filter(|(name, _)| !without.contains(name)).map(|(_, cell)| cell)).0.to_vec()
    };
    let (content, row) = (cells(&["confidence"]), cells(&[]));
    place.insert("content_hash", Cell::Bytes(content));
    place.insert("row_hash", Cell::Bytes(row));
    place
}

/// One change: its class, its own columns, and the new row unless the place is gone.
pub(crate) fn change(class: &str, n: u32, own: &[(&'static str, Cell)], row: Option<Row>) -> Row {
    let mut change = row.map(hashed).unwrap_or_default();
    change.extend([("class", text(class)), ("cause", text("source")), ("id", Cell::Text(id(n)))]);
    change.insert("changed_fields", texts(&[]));
    change.extend(own.iter().cloned());
    change
}

/// Something that happens during a read.
pub(crate) type Act = Box<dyn Fn()>;

/// A snapshot that was never written.
pub(crate) struct MemorySnapshot {
    manifest: Manifest,
    tables: BTreeMap<&'static str, (&'static Table, Vec<RecordBatch>)>,
    /// Called before each batch of this table is handed on.
    pub(crate) before_batch: Option<(&'static str, Act)>,
}

impl MemorySnapshot {
    /// A snapshot of these places, of a vintage in July 2026; its id is the day.
    pub(crate) fn new(pipeline: &str, day: u32, base: Option<u32>, places: &[Row], changes: &[Row]) -> Self {
        let id = |day: u32| format!("202607{day:02}T000000Z-00000000");
        let mut snapshot = Self {
            manifest: Manifest {
                schema_version: 1,
                snapshot: id(day),
                pipeline: pipeline.to_owned(),
                base: base.map(id),
                vintage: Some(format!("2026-07-{day:02}T00:00:00Z").parse().unwrap()),
                content_hash: String::new(),
                versions: Versions { poimill: "0".to_owned() },
                settings: serde_json::Value::Null,
                sources: vec![],
                layers: vec![],
                counts: BTreeMap::new(),
                self_evaluation: None,
                tables: BTreeMap::new(),
                held: vec![],
            },
            tables: BTreeMap::new(),
            before_batch: None,
        };
        snapshot.add(&PLACES, places.iter().cloned().map(hashed));
        snapshot.add(&SOURCES, places.iter().map(record));
        snapshot.add(&PLACE_CHANGES, changes.iter().cloned());
        snapshot
    }

    /// Takes the date away.
    pub(crate) fn undate(&mut self) {
        self.manifest.vintage = None;
    }

    fn add(&mut self, table: &'static Table, rows: impl Iterator<Item = Row>) {
        let rows: Vec<Vec<Cell>> = rows
            .map(|row| {
                table.columns.iter().map(|column| row.get(&*column.name).cloned().unwrap_or(Cell::Null)).collect()
            })
            .collect();
        let file = TableFile { schema_version: table.schema_version, rows: rows.len() as u64, sha256: String::new() };
        self.manifest.tables.insert(table.name.to_string(), file);
        // The box is required, and nobody here reads it.
        let boxed = rows.into_iter().map(|mut row| {
            if let Some(at) = table.columns.iter().position(|column| column.name == "bbox" && !column.nullable) {
                row[at] = fields(&table.columns[at].kind, &[("xmin", Cell::Float(0.0))]);
            }
            row
        });
        let batches = rows_to_batches(table, boxed).collect::<Result<_, _>>().unwrap();
        self.tables.insert(&table.name, (table, batches));
    }
}

impl Tables for MemorySnapshot {
    fn has(&self, table: &str) -> bool {
        self.tables.contains_key(table)
    }

    fn read(&self, table: &str, columns: &[&str], out: &mut TakeBatch<'_>) -> Result<(), RunError> {
        let (definition, batches) = &self.tables[table];
        let indices: Vec<usize> = columns
            .iter()
            .map(|name| definition.columns.iter().position(|column| column.name == *name).unwrap())
            .collect();
        for batch in batches {
            if let Some((_, act)) = self.before_batch.as_ref().filter(|(name, _)| *name == table) {
                act();
            }
            out(batch.project(&indices).unwrap())?;
        }
        Ok(())
    }
}

impl Snapshot for MemorySnapshot {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn released(&self) -> Option<&Release> {
        None
    }
}

/// An observer that keeps the notes.
#[derive(Default)]
pub(crate) struct Notes(pub(crate) std::sync::Mutex<Vec<String>>);

impl Observer for Notes {
    fn stage(&self, _: &str, _: Unit, _: Option<u64>) {}

    fn advance(&self, _: u64) {}

    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

//! Our side: runs poimill with one layer of everything and reads the layer's columns.

use std::fs;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use poimill::pipeline::ports::Tables;

use super::shape::{Position, Shape, units};
use super::{OsmType, Print};
use crate::support::poimill;

/// A fingerprint of every row of a layer of everything.
pub(super) fn prints(extract: &Path) -> Vec<Print> {
    let store = tempfile::tempdir().expect("a folder");
    let pipeline = store.path().join("parity.toml");
    fs::write(&pipeline, pipeline_file(extract)).expect("the pipeline is written");
    let done = poimill().arg("run").arg(&pipeline).output().expect("poimill starts");
    assert!(done.status.success(), "{}: {}", extract.display(), String::from_utf8_lossy(&done.stderr));

    let snapshot = poimill::wiring::snapshot(&store.path().join("parity/latest")).expect("a snapshot");
    let mut prints = Vec::new();
    let columns = ["osm_type", "osm_id", "kind", "geometry", "tags", "incomplete"];
    let read = snapshot.read("layers/everything", &columns, &mut |batch| {
        prints.extend(batch_prints(&batch));
        Ok(())
    });
    read.expect("the layer can be read");
    prints
}

fn pipeline_file(extract: &Path) -> String {
    let path = extract.canonicalize().expect("the extract is there");
    format!(
        r#"name = "parity"
themes = []

[[source]]
name = "osm"
kind = "osm_pbf"
path = {path:?}

[[layer]]
name = "everything"
filter = "*"
incomplete = "reject"

[store]
dir = "."
"#
    )
}

fn batch_prints(batch: &RecordBatch) -> Vec<Print> {
    let (types, kinds) = (batch.column(0).as_string::<i32>(), batch.column(2).as_string::<i32>());
    let (ids, shapes) = (batch.column(1).as_primitive::<Int64Type>(), batch.column(3).as_binary::<i32>());
    let (maps, incomplete) = (batch.column(4).as_map(), batch.column(5).as_boolean());
    let (keys, values) = (maps.keys().as_string::<i32>(), maps.values().as_string::<i32>());
    let print = |row: usize| {
        assert!(!incomplete.value(row), "incomplete objects are rejected");
        let tags = maps.value_offsets()[row] as usize..maps.value_offsets()[row + 1] as usize;
        let tags = tags.map(|at| (keys.value(at), values.value(at))).collect();
        let shape = Wkb(shapes.value(row)).whole();
        assert_eq!(shape.kind().name(), kinds.value(row), "{} {}", types.value(row), ids.value(row));
        Print::of(OsmType::parse(types.value(row)), ids.value(row), shape, tags)
    };
    (0..batch.num_rows()).filter_map(print).collect()
}

/// What is left of a geometry in little-endian WKB.
struct Wkb<'a>(&'a [u8]);

impl Wkb<'_> {
    fn whole(mut self) -> Shape {
        let shape = match self.head() {
            1 => Shape::Point(self.position()),
            2 => Shape::Line(self.line()),
            3 => Shape::Area(vec![self.rings()]),
            6 => {
                let polygons = self.count();
                let polygon = |wkb: &mut Self| {
                    assert_eq!(wkb.head(), 3, "a part of a multipolygon");
                    wkb.rings()
                };
                Shape::Area((0..polygons).map(|_| polygon(&mut self)).collect())
            }
            other => panic!("WKB type {other}"),
        };
        assert!(self.0.is_empty(), "bytes after the geometry");
        shape
    }

    fn take<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        let (taken, rest) = self.0.split_first_chunk().expect("the geometry goes on");
        self.0 = rest;
        *taken
    }

    fn head(&mut self) -> u32 {
        assert_eq!(self.take(), [1], "little-endian");
        self.count()
    }

    fn count(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn position(&mut self) -> Position {
        let lon = units(f64::from_le_bytes(self.take()));
        (lon, units(f64::from_le_bytes(self.take())))
    }

    fn line(&mut self) -> Vec<Position> {
        (0..self.count()).map(|_| self.position()).collect()
    }

    fn rings(&mut self) -> Vec<Vec<Position>> {
        (0..self.count()).map(|_| self.line()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wkb(parts: &[&[u8]]) -> Shape {
        Wkb(&parts.concat()).whole()
    }

    #[test]
    fn wkb_of_every_kind_is_read() {
        let head = |kind: u32| [&[1][..], &kind.to_le_bytes()].concat();
        let count = |count: u32| count.to_le_bytes();
        let at = |lon: f64, lat: f64| [lon.to_le_bytes(), lat.to_le_bytes()].concat();
        let ring = [&count(3)[..], &at(0.0, 0.0), &at(1.0, 0.0), &at(0.0, 0.0)].concat();
        let positions: Vec<Position> = vec![(0, 0), (10_000_000, 0), (0, 0)];
        assert_eq!(wkb(&[&head(1), &at(-0.1, 2.0)]), Shape::Point((-1_000_000, 20_000_000)));
        assert_eq!(wkb(&[&head(2), &ring]), Shape::Line(positions.clone()));
        assert_eq!(wkb(&[&head(3), &count(1), &ring]), Shape::Area(vec![vec![positions.clone()]]));
        let two = wkb(&[&head(6), &count(2), &head(3), &count(1), &ring, &head(3), &count(1), &ring]);
        assert_eq!(two, Shape::Area(vec![vec![positions.clone()], vec![positions]]));
    }
}

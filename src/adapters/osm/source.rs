//! An OSM PBF file as a source of features.

use std::path::PathBuf;

use rustc_hash::FxHashSet;

use super::OsmError;
use super::file::PbfFile;
use super::geometry::{Parts, shape_all};
use super::object::{Geometry, Object};
use super::passes::{IdRange, locations, member_ways};
use super::scan::scan;
use crate::adapters::io::{input_of, size_told};
use crate::domain::{Feature, LeftOutRule, ObjectKind, Reject, RejectCode, Shape, Timestamp};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Demand, Extracted, Observer, Source, TakeChunk, Unit};

/// Who must be named, <https://www.openstreetmap.org/copyright>.
const ATTRIBUTION: &str = "© OpenStreetMap contributors";

/// A file of the OSM PBF format: current data, in blobs that are uncompressed or zlib.
///
/// It is read in up to three passes: what is wanted, the member ways of wanted relations, and the positions of the
/// nodes that wanted areas need. So objects may come in any order, and none is held unless it is wanted or part of
/// one that is.
#[derive(Debug, Clone)]
pub struct OsmPbf {
    name: String,
    path: PathBuf,
}

/// Why reading ended early.
enum Ended {
    /// The file cannot be read.
    File(OsmError),
    /// Whoever takes the chunks has failed.
    Taker(RunError),
}

impl From<OsmError> for Ended {
    fn from(error: OsmError) -> Self {
        Self::File(error)
    }
}

impl From<RunError> for Ended {
    fn from(error: RunError) -> Self {
        Self::Taker(error)
    }
}

impl OsmPbf {
    /// The source of this name that reads this file.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), path: path.into() }
    }

    fn failed(&self, error: OsmError) -> RunError {
        RunError::input(&self.name, error)
    }

    fn extract(
        &self,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, Ended> {
        let file = PbfFile::open(&self.path)?;
        let mut extracted = Extracted { attribution: Some(ATTRIBUTION.to_owned()), ..Extracted::default() };
        let mut chunks = Chunks { out, next: Chunk::default() };

        observer.stage(&format!("extract {}", self.name), Unit::Bytes, Some(file.size_bytes));
        let (mut ways, mut relations) = (Vec::new(), Vec::new());
        let (mut node_ranges, mut way_ranges): (Vec<IdRange>, Vec<IdRange>) = (Vec::new(), Vec::new());
        let mut newest_ms = None;
        let mut seen = Seen::default();
        file.map_blobs(
            &file.data_blobs()?,
            |block| scan(block, wanted),
            |blob, scan| {
                observer.advance(blob.frame_bytes());
                extracted.read += scan.read;
                extracted.left_out.merge(&scan.left_out);
                newest_ms = newest_ms.max(scan.newest_ms);
                node_ranges.extend(scan.nodes.map(|ids| (blob, ids)));
                way_ranges.extend(scan.ways.map(|ids| (blob, ids)));
                for found in scan.found {
                    match found {
                        Err(reject) => chunks.reject(reject)?,
                        Ok(object) if !seen.first(&object) => {
                            let position = object.point();
                            let message = "an object of this id came before it in the file".to_owned();
                            chunks.reject(object.reject(RejectCode::RepeatedId, position, message))?;
                        }
                        Ok(object) => match object.geometry {
                            Geometry::Point(lon, lat) => {
                                chunks.feature(object.into_feature(Shape::Point(geo::Point::new(lon, lat))))?;
                            }
                            Geometry::Ring(_) => ways.push(object),
                            Geometry::Members(_) => relations.push(object),
                        },
                    }
                }
                Ok::<_, Ended>(())
            },
        )?;

        let lines = member_ways(&file, &relations, &way_ranges, &self.name, observer)?;
        let positions = locations(&file, &ways, &lines, &node_ranges, &self.name, observer)?;
        let parts = Parts { lines: &lines, positions: &positions };
        for objects in [ways, relations] {
            shape_all(objects, &parts, wanted.region, |shaped| match shaped {
                Ok(Some(feature)) => chunks.feature(feature),
                Ok(None) => {
                    extracted.left_out.add(LeftOutRule::OutsideRegion, 1);
                    Ok(())
                }
                Err(reject) => chunks.reject(reject),
            })?;
        }
        chunks.flush()?;

        let newest = newest_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        extracted.vintage = file.vintage.or(newest);
        let input = input_of(&self.path).map_err(|source| OsmError::Io { path: self.path.clone(), source })?;
        extracted.inputs.push(input);
        Ok(extracted)
    }
}

impl Source for OsmPbf {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "osm_pbf"
    }

    fn check(&self) -> Result<String, RunError> {
        let file = PbfFile::open(&self.path).map_err(|error| self.failed(error))?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let date = file.vintage.map_or_else(|| "undated".to_owned(), |vintage| format!("as of {vintage}"));
        Ok(format!("{name}, {}, {date}", size_told(file.size_bytes)))
    }

    fn read(
        &self,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, RunError> {
        self.extract(wanted, observer, out).map_err(|ended| match ended {
            Ended::File(error) => self.failed(error),
            Ended::Taker(error) => error,
        })
    }
}

/// Ids met, by kind of object.
#[derive(Default)]
struct Seen {
    nodes: FxHashSet<i64>,
    ways: FxHashSet<i64>,
    relations: FxHashSet<i64>,
}

impl Seen {
    /// Whether the object is the first of its id.
    fn first(&mut self, object: &Object) -> bool {
        match object.kind {
            ObjectKind::Node => self.nodes.insert(object.id),
            ObjectKind::Way => self.ways.insert(object.id),
            ObjectKind::Relation => self.relations.insert(object.id),
        }
    }
}

/// Hands on features and rejects in chunks.
struct Chunks<'a, 'b> {
    out: &'a mut TakeChunk<'b>,
    next: Chunk,
}

impl Chunks<'_, '_> {
    fn feature(&mut self, feature: Feature) -> Result<(), RunError> {
        self.next.features.push(feature);
        self.flush_at(Chunk::MAX)
    }

    fn reject(&mut self, reject: Reject) -> Result<(), RunError> {
        self.next.rejects.push(reject);
        self.flush_at(Chunk::MAX)
    }

    fn flush(&mut self) -> Result<(), RunError> {
        self.flush_at(1)
    }

    fn flush_at(&mut self, most: usize) -> Result<(), RunError> {
        if self.next.features.len() >= most || self.next.rejects.len() >= most {
            (self.out)(std::mem::take(&mut self.next))?;
        }
        Ok(())
    }
}

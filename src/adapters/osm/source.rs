//! OSM PBF files as a source of features and of rows of layers.

use std::path::PathBuf;

use rayon::prelude::*;

use super::area::Polygons;
use super::blocks::Blocks;
use super::changes::{self, ChangesAt, ChangesError, Overlay, Since, read_overlay};
use super::file::PbfFile;
use super::geometry::{Built, Refusal, multipolygon, relation_area};
use super::judge::LayerTally;
use super::layout::Layout;
use super::line::Line;
use super::locations::Locations;
use super::object::{Geometry, Object};
use super::passes::{ById, Reader};
use super::referred::Room;
use super::versions::Versions;
use super::{Fault, OsmError};
use crate::adapters::io::{FolderScratch, ScratchError, input_of, size_told};
use crate::domain::{Feature, Incomplete, LeftOut, LeftOutRule, LonLat, Region, Reject, Shape, Timestamp};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Demand, Extracted, LayerCount, Observer, Source, TakeChunk, Unit};

/// Who must be named, <https://www.openstreetmap.org/copyright>.
const ATTRIBUTION: &str = "© OpenStreetMap contributors";

/// Areas assembled at a time.
const BATCH_AREAS: usize = 4096;

/// Rows of a layer handed on at once, in bytes.
const BATCH_ROW_BYTES: usize = 4 << 20;

/// Files of the OSM PBF format that together are one source: current data, blobs of any codec.
#[derive(Debug, Clone)]
pub struct OsmPbf {
    pub(super) name: String,
    pub(super) paths: Vec<PathBuf>,
    pub(super) changes: Option<ChangesAt>,
    room: Option<Room>,
}

/// Why reading ended early.
pub(super) enum Ended {
    /// A file cannot be read.
    File(OsmError),
    /// Whoever takes the chunks has failed, or a scratch file.
    Taker(RunError),
    /// A file is not in the order that it looked to be in.
    Unordered,
}

impl From<OsmError> for Ended {
    fn from(error: OsmError) -> Self {
        match error {
            OsmError::Damaged { source: Fault::Order, .. } => Self::Unordered,
            error => Self::File(error),
        }
    }
}

impl From<ScratchError> for Ended {
    fn from(error: ScratchError) -> Self {
        Self::Taker(RunError::failed(error))
    }
}

impl From<RunError> for Ended {
    fn from(error: RunError) -> Self {
        Self::Taker(error)
    }
}

impl OsmPbf {
    /// The source of this name that reads one file.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::of_files(name, vec![path.into()])
    }

    /// The source of this name that reads several files as one: of an object that is in more than one of them, the
    /// highest version counts.
    pub fn of_files(name: impl Into<String>, paths: Vec<PathBuf>) -> Self {
        Self { name: name.into(), paths, changes: None, room: None }
    }

    /// The source brought up to date by changes since its files were made.
    #[must_use]
    pub fn with_changes(self, changes: ChangesAt) -> Self {
        Self { changes: Some(changes), ..self }
    }

    /// The source with a limit to the memory that nodes take which ways refer to: at most half of `memory_bytes` is for
    /// them, and what is more goes to scratch files. The rest is for whoever takes the rows of layers.
    #[must_use]
    pub fn with_memory(self, scratch: FolderScratch, memory_bytes: u64) -> Self {
        Self { room: Some(Room::new(scratch, memory_bytes)), ..self }
    }

    pub(super) fn failed(&self, error: OsmError) -> RunError {
        RunError::input(&self.name, error)
    }

    fn extract(
        &self,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, Ended> {
        let files = self.paths.iter().map(|path| PbfFile::open(path)).collect::<Result<Vec<_>, _>>()?;
        let overlay = match &self.changes {
            None => Overlay::default(),
            Some(changes) => self.overlay(changes, &files, observer)?,
        };
        let Overlay { versions, blocks: updates, sequence, vintage, inputs: diffs, .. } = overlay;
        let blocks = Blocks { files, updates: updates.into_iter().map(|(_, block)| block).collect() };
        // Hashing reads the files too; beside the decoding it costs no time of its own where there are threads.
        let (inputs, extracted) = std::thread::scope(|scope| {
            let inputs = scope.spawn(|| {
                let hash =
                    |path: &PathBuf| input_of(path).map_err(|source| OsmError::Io { path: path.clone(), source });
                self.paths.iter().map(hash).collect::<Result<Vec<_>, _>>()
            });
            let extracted = self.read_blocks(&blocks, &versions, wanted, observer, out);
            (inputs.join(), extracted)
        });
        let mut extracted = extracted?;
        extracted.inputs = inputs.expect("hashing a file does not panic")?;
        extracted.inputs.extend(diffs);
        extracted.vintage = extracted.vintage.max(vintage);
        if let Some(sequence) = sequence {
            extracted.stated.insert("replication_sequence".to_owned(), sequence.to_string());
        }
        Ok(extracted)
    }

    /// What changed since the files were made: since the oldest, where they are several.
    fn overlay(&self, at: &ChangesAt, files: &[PbfFile], observer: &dyn Observer) -> Result<Overlay, OsmError> {
        let since = since(files)?;
        observer.stage(&format!("read changes of {}", self.name), Unit::Rows, None);
        let overlay = read_overlay(&at.clone().or_kept(&self.paths[0]), since)?;
        for note in &overlay.notes {
            observer.note(note);
        }
        let changes::Counts { created, modified, deleted } = overlay.counts;
        let diffs = overlay.inputs.len();
        observer.note(&format!(
            "{}: {diffs} diffs bring {created} new, {modified} changed and {deleted} deleted objects",
            self.name
        ));
        Ok(overlay)
    }

    fn read_blocks(
        &self,
        blocks: &Blocks,
        updated: &changes::Versions,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, Ended> {
        let layout = match Layout::of_sorted(blocks) {
            Err(OsmError::Damaged { source: Fault::Order, .. }) => None,
            layout => Some(layout?),
        };
        if let Some(layout) = layout {
            let mut versions = Versions::new(updated.clone());
            if blocks.files.len() > 1 {
                versions.find_repeated(blocks, &layout)?;
            }
            match self.read_in(blocks, &layout, versions, true, wanted, observer, out) {
                Err(Ended::Unordered) => {}
                read => return read,
            }
        }
        let name = &self.name;
        observer.note(&format!(
            "{name} is not sorted by type and id, so it is read twice, which is slower; `osmium sort` puts it in order"
        ));
        out(Chunk { again: true, ..Chunk::default() })?;
        let layout = Layout::scan(blocks)?;
        let mut versions = Versions::new(updated.clone());
        versions.find_repeated(blocks, &layout)?;
        self.read_in(blocks, &layout, versions, false, wanted, observer, out)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "called in one place; what differs between the first and a second try"
    )]
    fn read_in(
        &self,
        blocks: &Blocks,
        layout: &Layout,
        versions: Versions,
        ordered: bool,
        wanted: &Demand<'_>,
        observer: &dyn Observer,
        out: &mut TakeChunk<'_>,
    ) -> Result<Extracted, Ended> {
        let mut reader = Reader {
            source: &self.name,
            blocks,
            layout,
            wanted,
            room: self.room.as_ref(),
            observer,
            versions,
            ordered,
            read: 0,
            objects: [("nodes", 0), ("ways", 0), ("relations", 0)].into(),
            left_out: LeftOut::default(),
            newest_ms: None,
        };
        let mut chunks = Chunks::new(out, wanted);
        let (mut relations, mut ways) = (Vec::new(), Vec::new());
        reader.open_empty()?;
        let mut lines = reader.relations(|found| chunks.keep(found, &mut relations))?;
        let locations = reader.ways(&mut lines, |found| chunks.keep(found, &mut ways))?;
        {
            let chunks = std::cell::RefCell::new(&mut chunks);
            reader.nodes(
                &locations,
                |found| chunks.borrow_mut().feature(found),
                |tally| chunks.borrow_mut().rows(tally),
            )?;
        }
        if !wanted.layers.is_empty() {
            reader.rows(&lines, &locations, |tally| chunks.rows(tally))?;
        }
        let mut left_out = std::mem::take(&mut reader.left_out);
        let parts = Parts { lines: &lines, locations: &locations };
        for objects in [ways, relations] {
            parts.shape_all(objects, wanted.region, |shaped| match shaped {
                Shaped::Feature(feature) => chunks.feature(Ok(*feature)),
                Shaped::LeftOut(rule) => {
                    left_out.add(rule, 1);
                    Ok(())
                }
                Shaped::Rejected(reject) => chunks.feature(Err(reject)),
            })?;
        }
        let layers = chunks.finish()?;
        let newest = reader.newest_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let stated = match blocks.files.as_slice() {
            [file] => file.header.stated.clone(),
            // Of several files each says its own.
            files => files
                .iter()
                .enumerate()
                .flat_map(|(at, file)| {
                    file.header.stated.iter().map(move |(key, text)| (format!("{}.{key}", at + 1), text.clone()))
                })
                .collect(),
        };
        Ok(Extracted {
            read: reader.read,
            left_out,
            vintage: blocks.files.iter().filter_map(|file| file.header.vintage).max().or(newest),
            inputs: Vec::new(),
            attribution: Some(ATTRIBUTION.to_owned()),
            objects: reader.objects.into_iter().map(|(kind, objects)| (kind.to_owned(), objects)).collect(),
            layers,
            stated,
        })
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
        let files = self.paths.iter().map(|path| PbfFile::open(path)).collect::<Result<Vec<_>, _>>();
        let files = files.map_err(|error| self.failed(error))?;
        let told = files.iter().map(|file| {
            let name = file.path.file_name().unwrap_or_default().to_string_lossy();
            let date = file.header.vintage.map_or_else(|| "undated".to_owned(), |vintage| format!("as of {vintage}"));
            format!("{name}, {}, {date}", size_told(file.size_bytes))
        });
        let mut told: Vec<String> = told.collect();
        if let Some(changes) = &self.changes {
            since(&files).map_err(|error| self.failed(error))?;
            if let ChangesAt::Folder(path) = changes
                && !path.exists()
            {
                return Err(self.failed(ChangesError::Missing { path: path.clone() }.into()));
            }
            told.push(format!("with the changes of {changes}"));
        }
        Ok(told.join("; "))
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
            Ended::Unordered => RunError::failed("a file in no order was expected to be in order"),
        })
    }
}

/// Where the files stand: the oldest, where they are several.
pub(super) fn since(files: &[PbfFile]) -> Result<Since, OsmError> {
    if let Some(file) = files.iter().find(|file| file.header.located_ways) {
        return Err(OsmError::ChangesOnLocatedWays { path: file.path.clone() });
    }
    let oldest = files.iter().map(|file| &file.header).min_by_key(|header| (header.vintage, header.sequence));
    Ok(oldest.map_or(Since::default(), |header| Since { sequence: header.sequence, time: header.vintage }))
}

/// What areas are made of.
struct Parts<'a> {
    lines: &'a ById<Line>,
    locations: &'a Locations,
}

/// What became of a way or relation that is wanted as a place.
enum Shaped {
    Feature(Box<Feature>),
    LeftOut(LeftOutRule),
    Rejected(Reject),
}

impl Parts<'_> {
    /// Gives ways and relations their shape, in parallel, and hands them on in order.
    fn shape_all(
        &self,
        objects: Vec<Object>,
        region: &Region,
        mut take: impl FnMut(Shaped) -> Result<(), Ended>,
    ) -> Result<(), Ended> {
        let mut rest = objects.into_iter();
        while rest.len() > 0 {
            let batch: Vec<Object> = rest.by_ref().take(BATCH_AREAS).collect();
            let shaped: Vec<_> = batch.into_par_iter().map(|object| self.shape(object, region)).collect();
            shaped.into_iter().try_for_each(&mut take)?;
        }
        Ok(())
    }

    fn shape(&self, object: Object, region: &Region) -> Shaped {
        match self.area(&object) {
            Ok(None) => Shaped::LeftOut(LeftOutRule::WrongKind),
            Err(Refusal { code, position, message }) => Shaped::Rejected(object.reject(code, position, message)),
            Ok(Some(Built { shape, .. })) => {
                let area = multipolygon(&shape);
                let inside = || geo::InteriorPoint::interior_point(&area).and_then(|at| LonLat::new(at.x(), at.y()));
                if !region.is_world() && inside().is_some_and(|inside| !region.reads(inside)) {
                    return Shaped::LeftOut(LeftOutRule::OutsideRegion);
                }
                Shaped::Feature(Box::new(object.into_feature(Shape::Area(area))))
            }
        }
    }

    /// The area of an object; `None` for a way that is a line.
    fn area(&self, object: &Object) -> Result<Option<Built<Polygons>>, Refusal> {
        match &object.geometry {
            Geometry::Point => Ok(None),
            Geometry::Members(members) => {
                relation_area(members, self.lines, self.locations, Incomplete::Reject).map(Some)
            }
            Geometry::Line(line) => {
                let located = line.locate(self.locations, &mut 0);
                let refs = line.refs();
                let closed_by_nodes = refs.len() >= 4 && refs.first() == refs.last();
                if object.tags.get("area") == Some("no") || !(closed_by_nodes || located.is_closed()) {
                    return Ok(None);
                }
                located.check(Incomplete::Reject)?;
                located.area().map(Some)
            }
        }
    }
}

/// Hands on features, rows and rejects in chunks.
struct Chunks<'a, 'b> {
    out: &'a mut TakeChunk<'b>,
    next: Chunk,
    row_bytes: usize,
    /// What became of the objects, per layer.
    tally: LayerTally,
}

impl<'a, 'b> Chunks<'a, 'b> {
    fn new(out: &'a mut TakeChunk<'b>, wanted: &Demand<'_>) -> Self {
        Self { out, next: Chunk::default(), row_bytes: 0, tally: LayerTally::new(wanted.layers, 0) }
    }

    /// Keeps an object until its shape is known.
    fn keep(&mut self, found: Result<Object, Reject>, objects: &mut Vec<Object>) -> Result<(), Ended> {
        match found {
            Ok(object) => objects.push(object),
            Err(reject) => self.feature(Err(reject))?,
        }
        Ok(())
    }

    fn feature(&mut self, found: Result<Feature, Reject>) -> Result<(), Ended> {
        match found {
            Ok(feature) => self.next.features.push(feature),
            Err(reject) => self.next.rejects.push(reject),
        }
        self.flush_if(|chunk, _| chunk.features.len() >= Chunk::MAX || chunk.rejects.len() >= Chunk::MAX)
    }

    fn rows(&mut self, mut tally: LayerTally) -> Result<(), Ended> {
        let rows = std::mem::take(&mut tally.rows).into_iter().enumerate().filter(|(_, rows)| !rows.is_empty());
        for (layer, rows) in rows {
            self.row_bytes += rows.size_bytes();
            self.next.layer_rows.push((layer, rows));
        }
        self.tally.append(&mut tally);
        self.next.layer_rejects.append(&mut self.tally.rejects);
        self.flush_if(|chunk, row_bytes| row_bytes >= BATCH_ROW_BYTES || chunk.layer_rejects.len() >= Chunk::MAX)
    }

    fn flush_if(&mut self, full: impl Fn(&Chunk, usize) -> bool) -> Result<(), Ended> {
        if full(&self.next, self.row_bytes) {
            self.row_bytes = 0;
            (self.out)(std::mem::take(&mut self.next))?;
        }
        Ok(())
    }

    /// Hands on what is left; returns what became of the objects, per layer.
    fn finish(mut self) -> Result<Vec<LayerCount>, Ended> {
        self.flush_if(|_, _| true)?;
        Ok(self.tally.counts)
    }
}

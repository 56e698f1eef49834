//! The later passes: member ways of wanted relations, then the positions of the nodes that areas need.
//! Each opens only the blobs whose ids can answer it.

use std::ops::RangeInclusive;

use super::OsmError;
use super::area::Position;
use super::block::{Block, Body};
use super::file::{BlobAt, PbfFile};
use super::object::{Geometry, Line, Object, line};
use crate::domain::ObjectKind;
use crate::pipeline::ports::{Observer, Unit};

/// A blob with the ids of one kind of object in it.
pub(super) type IdRange = (BlobAt, RangeInclusive<i64>);

/// Values by id, for ids that were named beforehand. Of an object given twice, the first counts.
pub(super) struct ById<T> {
    ids: Vec<i64>,
    values: Vec<Option<T>>,
}

impl<T> ById<T> {
    fn new(mut ids: Vec<i64>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        let values = ids.iter().map(|_| None).collect();
        Self { ids, values }
    }

    fn place(&self, id: i64) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The value of `id`, if the file has it.
    pub(super) fn get(&self, id: i64) -> Option<&T> {
        self.place(id).and_then(|place| self.values[place].as_ref())
    }

    fn set(&mut self, place: usize, value: T) {
        self.values[place].get_or_insert(value);
    }

    /// Whether an id in `range` has no value yet.
    fn lacks_some_of(&self, range: &RangeInclusive<i64>) -> bool {
        let first = self.ids.partition_point(|id| id < range.start());
        let missing = |(id, value): (&i64, &Option<T>)| range.contains(id).then_some(value.is_none());
        self.ids[first..].iter().zip(&self.values[first..]).map_while(missing).any(|missing| missing)
    }

    fn values(&self) -> impl Iterator<Item = &T> {
        self.values.iter().flatten()
    }
}

/// Reads the member ways of `relations`.
pub(super) fn member_ways(
    file: &PbfFile,
    relations: &[Object],
    ways: &[IdRange],
    source: &str,
    observer: &dyn Observer,
) -> Result<ById<Line>, OsmError> {
    let members = relations.iter().flat_map(|relation| match &relation.geometry {
        Geometry::Members(members) => members.as_slice(),
        _ => &[],
    });
    let wanted = members.filter(|member| member.kind == ObjectKind::Way).map(|member| member.id);
    let mut lines = ById::new(wanted.collect());
    let read = |block: &Block, lines: &ById<Line>| {
        let mut found = Vec::new();
        block.for_each(|item| {
            if let (Body::Way(way), true, Some(place)) = (item.body, item.meta.visible, lines.place(item.id)) {
                found.push((place, line(&way)));
            }
        });
        found
    };
    fill(file, &mut lines, ways, &format!("extract {source}: member ways"), observer, read)?;
    Ok(lines)
}

/// Reads the positions of the nodes of `ways` and `lines`.
pub(super) fn locations(
    file: &PbfFile,
    ways: &[Object],
    lines: &ById<Line>,
    nodes: &[IdRange],
    source: &str,
    observer: &dyn Observer,
) -> Result<ById<Position>, OsmError> {
    let of_ways = ways.iter().filter_map(|way| match &way.geometry {
        Geometry::Ring(line) => Some(line),
        _ => None,
    });
    let all = || of_ways.clone().chain(lines.values());
    let mut positions = ById::new(all().flat_map(|line| &line.refs).copied().collect());
    for (id, position) in all().flat_map(|line| line.refs.iter().zip(&line.positions)) {
        if let Some(place) = positions.place(*id) {
            positions.set(place, *position);
        }
    }
    let read = |block: &Block, positions: &ById<Position>| {
        let mut found = Vec::new();
        block.for_each(|item| {
            if let (Body::Node(lon, lat), true, Some(place)) = (item.body, item.meta.visible, positions.place(item.id))
            {
                found.extend(Position::from_nano(lon, lat).map(|position| (place, position)));
            }
        });
        found
    };
    fill(file, &mut positions, nodes, &format!("extract {source}: node positions"), observer, read)?;
    Ok(positions)
}

/// Fills in the values that `read` finds in the blobs that can have some.
fn fill<T: Send + Sync>(
    file: &PbfFile,
    values: &mut ById<T>,
    ranges: &[IdRange],
    stage: &str,
    observer: &dyn Observer,
    read: impl Fn(&Block, &ById<T>) -> Vec<(usize, T)> + Sync,
) -> Result<(), OsmError> {
    let blobs: Vec<_> = ranges.iter().filter(|(_, ids)| values.lacks_some_of(ids)).map(|(blob, _)| *blob).collect();
    if blobs.is_empty() {
        return Ok(());
    }
    observer.stage(stage, Unit::Bytes, Some(blobs.iter().map(BlobAt::frame_bytes).sum()));
    let mut found = Vec::new();
    file.map_blobs(
        &blobs,
        |block| read(block, values),
        |blob, of_blob| {
            found.extend(of_blob);
            observer.advance(blob.frame_bytes());
            Ok::<_, OsmError>(())
        },
    )?;
    for (place, value) in found {
        values.set(place, value);
    }
    Ok(())
}

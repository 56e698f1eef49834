//! The passes over a source: relations, ways, nodes.
//!
//! ```text
//! relations ─▶ member ways wanted ─▶ ways ─▶ nodes referred to ─▶ nodes ─▶ points, positions of nodes
//! ```
//!
//! Each opens only the blocks with objects of its kind, so that where only places are wanted, every block is inflated
//! once. Layers read ways and relations a second time, when all positions are known (see [`super::raw`]).

use std::collections::BTreeMap;

use super::block::{Block, Meta};
use super::blocks::{Blocks, Piece};
use super::judge::{Judge, LAYERS, fits};
use super::layout::{Layout, Stage};
use super::line::{Line, Scratch};
use super::locations::Locations;
use super::object::{Geometry, Member, Object};
use super::referred::{Ids, Referred, Room};
use super::source::Ended;
use super::verdict::{Verdict, is_area, malformed, object, verdict};
use super::versions::{Counts, Versions};
use super::{Fault, OsmError};
use crate::domain::{GeometryKind, LeftOut, LeftOutRule, ObjectKind, Reject, Tags};
use crate::pipeline::ports::{Demand, Observer, Unit};

/// A source that is being read.
pub(super) struct Reader<'r> {
    pub(super) source: &'r str,
    pub(super) blocks: &'r Blocks,
    pub(super) layout: &'r Layout,
    pub(super) wanted: &'r Demand<'r>,
    /// For the nodes that ways refer to.
    pub(super) room: Option<&'r Room>,
    pub(super) observer: &'r dyn Observer,
    pub(super) versions: Versions,
    /// Whether ids must ascend in every file; an id that does not ends the reading with [`Ended::Unordered`].
    pub(super) ordered: bool,
    /// Objects met, those that later versions supersede among them.
    pub(super) read: u64,
    /// Objects by kind, each in the version that counts.
    pub(super) objects: BTreeMap<&'static str, u64>,
    /// Objects that no place can come of, by rule.
    pub(super) left_out: LeftOut,
    pub(super) newest_ms: Option<i64>,
}

/// Values by id, for ids that were named beforehand. Of an object given twice, the first counts.
pub(super) struct ById<T> {
    ids: Vec<i64>,
    values: Vec<Option<T>>,
}

impl<T> ById<T> {
    pub(super) fn new(mut ids: Vec<i64>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        let values = ids.iter().map(|_| None).collect();
        Self { ids, values }
    }

    fn place(&self, id: i64) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// The value of `id`, if the input has it.
    pub(super) fn get(&self, id: i64) -> Option<&T> {
        self.place(id).and_then(|place| self.values[place].as_ref())
    }

    fn set(&mut self, place: usize, value: T) {
        self.values[place].get_or_insert(value);
    }
}

/// What a pass learns of every block.
pub(super) struct Seen<'v> {
    versions: &'v Versions,
    plain: bool,
    updates: bool,
    block: u32,
    objects: u32,
    superseded: u32,
    first: i64,
    last: i64,
    ascending: bool,
    newest_ms: Option<i64>,
    outdated: Vec<i64>,
}

impl<'v> Seen<'v> {
    fn new(versions: &'v Versions, stage: &Stage, block: usize) -> Self {
        Self {
            versions,
            plain: versions.is_plain(),
            updates: stage.updates,
            block: block as u32,
            objects: 0,
            superseded: 0,
            first: i64::MAX,
            last: i64::MIN,
            ascending: true,
            newest_ms: None,
            outdated: Vec::new(),
        }
    }

    /// Takes note of an object. Returns whether it counts.
    #[inline]
    pub(super) fn meet(&mut self, kind: ObjectKind, id: i64, meta: &Meta<'_>) -> Counts {
        if self.objects == 0 {
            self.first = id;
        } else if id <= self.last {
            self.ascending = false;
        }
        self.last = id;
        self.objects += 1;
        self.newest_ms = self.newest_ms.max(meta.time_ms);
        if self.plain {
            return Counts::Yes;
        }
        let counts = if self.updates {
            self.versions.in_updates((kind, id))
        } else {
            self.versions.in_files((kind, id), meta.version, (self.block, self.objects - 1))
        };
        match counts {
            Counts::Outdates => self.outdated.push(id),
            Counts::Superseded => self.superseded += 1,
            Counts::Yes | Counts::Repeated => {}
        }
        counts
    }
}

/// What a block has for places.
#[derive(Default)]
struct Found {
    not_matched: u64,
    left_out: LeftOut,
    objects: Vec<Result<Object, Reject>>,
}

impl Reader<'_> {
    /// Reads the blocks with objects of these kinds, first those of files, then those of updates; kinds that come first
    /// are begun first.
    ///
    /// The first pass over a kind counts its objects; it is a pass over this kind alone.
    pub(super) fn pass<T: Send>(
        &mut self,
        kinds: &[ObjectKind],
        doing: &str,
        is_first: bool,
        work: impl Fn(ObjectKind, &Block<'_>, &mut Seen<'_>) -> Result<T, Fault> + Sync,
        mut take: impl FnMut(T) -> Result<(), Ended>,
    ) -> Result<(), Ended> {
        let bytes = kinds.iter().map(|kind| self.layout.bytes(*kind)).sum();
        self.observer.stage(&format!("extract {}: {doing}", self.source), Unit::Bytes, Some(bytes));
        for updates in [false, true] {
            let stages: Vec<(ObjectKind, Stage)> =
                kinds.iter().map(|kind| (*kind, self.layout.stage(*kind, updates))).collect();
            let pieces: Vec<Piece> = stages.iter().flat_map(|(_, stage)| &stage.pieces).copied().collect();
            let part = |mut at: usize| {
                let mut stages = stages.iter();
                loop {
                    let (kind, stage) = stages.next().expect("every piece is part of a stage");
                    match at.checked_sub(stage.pieces.len()) {
                        None => return (*kind, stage, at),
                        Some(rest) => at = rest,
                    }
                }
            };
            let mut last: Option<(usize, i64)> = None;
            let mut outdated = Vec::new();
            let (versions, blocks) = (&self.versions, self.blocks);
            let (ordered, observer) = (self.ordered && is_first && !updates, self.observer);
            let (read, objects) = (&mut self.read, self.objects.entry(plural(kinds[0])).or_default());
            let newest_ms = &mut self.newest_ms;
            blocks.each(
                &pieces,
                |at, block| {
                    let (kind, stage, at) = part(at);
                    // What was taken for a block of nodes may hold ways as well, if the file is not in order.
                    let there = block.kinds()?;
                    if there.iter().zip(stage.kinds[at]).any(|(there, expected)| *there && !expected) {
                        return Err(Fault::Order);
                    }
                    let mut seen = Seen::new(versions, stage, at);
                    let made = work(kind, block, &mut seen)?;
                    let Seen { objects, superseded, first, last, ascending, newest_ms, outdated, .. } = seen;
                    Ok(((objects, superseded), (first, last), ascending, newest_ms, outdated, made))
                },
                |at, ((met, superseded), ids, ascending, newest, stale, made)| {
                    observer.advance(pieces[at].bytes());
                    if ordered && met > 0 {
                        let file = pieces[at].file();
                        if !ascending || last.is_some_and(|(before, last)| before == file && last >= ids.0) {
                            return Err(Ended::Unordered);
                        }
                        last = Some((file, ids.1));
                    }
                    if is_first {
                        *read += u64::from(met);
                        *objects += u64::from(met - superseded);
                        *newest_ms = (*newest_ms).max(newest);
                        outdated.extend(stale);
                    }
                    take(made)
                },
            )?;
            self.versions.outdated.extend(outdated.into_iter().map(|id| (kinds[0], id)));
        }
        Ok(())
    }

    /// Opens the blocks without any object, so that damage in them is found too.
    pub(super) fn open_empty(&self) -> Result<(), OsmError> {
        self.blocks.each(&self.layout.empty(), |_, block| block.kinds(), |_, _| Ok(()))
    }

    /// Whether a layer may have rows of this kind of geometry.
    pub(super) fn layers_have(&self, kinds: &[GeometryKind]) -> bool {
        self.wanted.layers.iter().any(|layer| kinds.iter().any(|kind| layer.kinds.contains(kind)))
    }

    /// The first pass: relations that are wanted as places, and the member ways of all that are wanted.
    pub(super) fn relations(
        &mut self,
        mut take: impl FnMut(Result<Object, Reject>) -> Result<(), Ended>,
    ) -> Result<ById<Line>, Ended> {
        let wanted = self.wanted;
        let layers = if self.layers_have(&[GeometryKind::Area]) { LAYERS } else { 0 };
        let (mut ways, mut left_out) = (Vec::new(), LeftOut::default());
        let work = |_, block: &Block<'_>, seen: &mut Seen<'_>| {
            let mut judge = Judge::new(wanted, block.strings());
            let (mut found, mut ways, mut texts) = (Found::default(), Vec::new(), Vec::new());
            block.relations(|relation| {
                let counts = seen.meet(ObjectKind::Relation, relation.id, &relation.meta);
                let whom = judge.matters(relation.tags);
                let mut verdict = verdict(
                    &judge,
                    ObjectKind::Relation,
                    relation.id,
                    relation.tags,
                    whom,
                    counts,
                    &relation.meta,
                    None,
                );
                let of_layer = whom & layers != 0
                    && matches!(counts, Counts::Yes | Counts::Outdates)
                    && judge.texts(relation.tags, &mut texts)
                    && is_area(texts.as_slice())
                    && wanted.layers.iter().any(|layer| fits(layer, ObjectKind::Relation, &texts));
                if let Verdict::Wanted(tags) = &verdict
                    && !matches!(tags.get("type"), Some("multipolygon" | "boundary"))
                {
                    verdict = Verdict::LeftOut(LeftOutRule::WrongKind);
                }
                if !of_layer && !matches!(verdict, Verdict::Wanted(_)) {
                    found.note(verdict, |_| unreachable!("it is not wanted"));
                    return Ok(());
                }
                let members = relation.members()?;
                ways.extend(members.iter().filter(|member| member.kind == ObjectKind::Way).map(|member| member.id));
                let roles = members
                    .iter()
                    .map(|member| {
                        Some(Member { kind: member.kind, id: member.id, role: judge.text(member.role)?.into() })
                    })
                    .collect::<Option<Vec<_>>>();
                match (roles, verdict) {
                    (None, Verdict::Wanted(_)) => {
                        let message = "a role in it is not UTF-8, or not in the file's table of texts";
                        found.objects.push(Err(malformed(ObjectKind::Relation, relation.id, None, message)));
                    }
                    (members, verdict) => found.note(verdict, |tags| {
                        object(
                            ObjectKind::Relation,
                            relation.id,
                            &relation.meta,
                            tags,
                            Geometry::Members(members.unwrap_or_default()),
                        )
                    }),
                }
                Ok(())
            })?;
            Ok((found, ways))
        };
        self.pass(&[ObjectKind::Relation], "relations", true, work, |(found, of_block)| {
            ways.extend(of_block);
            left_out.merge(&found.left_out);
            left_out.add(LeftOutRule::NotMatched, found.not_matched);
            found.objects.into_iter().try_for_each(&mut take)
        })?;
        self.left_out.merge(&left_out);
        Ok(ById::new(ways))
    }

    /// The second pass: ways that are wanted as places, the lines of member ways, and the nodes that all of them and those
    /// wanted by layers refer to.
    pub(super) fn ways(
        &mut self,
        lines: &mut ById<Line>,
        mut take: impl FnMut(Result<Object, Reject>) -> Result<(), Ended>,
    ) -> Result<Locations, Ended> {
        let wanted = self.wanted;
        let layers = if self.layers_have(&[GeometryKind::Line, GeometryKind::Area]) { LAYERS } else { 0 };
        let (mut referred, mut left_out) = (Referred::new(self.room), LeftOut::default());
        let mut members: Vec<(usize, Line)> = Vec::new();
        let known = &*lines;
        let work = |_, block: &Block<'_>, seen: &mut Seen<'_>| {
            let mut judge = Judge::new(wanted, block.strings());
            let (mut found, mut members) = (Found::default(), Vec::new());
            let (mut refs, mut scratch) = (Ids::default(), Scratch::default());
            block.ways(|way| {
                let counts = seen.meet(ObjectKind::Way, way.id, &way.meta);
                let whom = judge.matters(way.tags);
                let lives = way.meta.visible && matches!(counts, Counts::Yes | Counts::Outdates);
                let verdict = verdict(&judge, ObjectKind::Way, way.id, way.tags, whom, counts, &way.meta, None);
                let member = known.place(way.id).filter(|_| lives);
                let is_place = matches!(verdict, Verdict::Wanted(_));
                if member.is_some() || is_place {
                    let line = Line::of(&way, &mut scratch)?;
                    if !line.is_located() {
                        refs.extend(&scratch.refs);
                    }
                    if let Some(place) = member {
                        members.push((place, line.clone()));
                    }
                    found.note(verdict, |tags| object(ObjectKind::Way, way.id, &way.meta, tags, Geometry::Line(line)));
                    return Ok(());
                }
                found.note(verdict, |_| unreachable!("it is not wanted"));
                if whom & layers != 0 && lives && !way.is_located() {
                    way.refs(&mut scratch.refs)?;
                    refs.extend(&scratch.refs);
                }
                Ok(())
            })?;
            Ok((found, members, refs.sorted()))
        };
        self.pass(&[ObjectKind::Way], "ways", true, work, |(found, of_block, refs)| {
            members.extend(of_block);
            referred.add(refs)?;
            left_out.merge(&found.left_out);
            left_out.add(LeftOutRule::NotMatched, found.not_matched);
            found.objects.into_iter().try_for_each(&mut take)
        })?;
        for (place, line) in members {
            lines.set(place, line);
        }
        self.left_out.merge(&left_out);
        Ok(referred.locations()?)
    }
}

impl Found {
    fn note(&mut self, verdict: Verdict, object: impl FnOnce(Tags) -> Object) {
        match verdict {
            Verdict::LeftOut(LeftOutRule::NotMatched) => self.not_matched += 1,
            Verdict::LeftOut(rule) => self.left_out.add(rule, 1),
            Verdict::Rejected(reject) => self.objects.push(Err(reject)),
            Verdict::Wanted(tags) => self.objects.push(Ok(object(tags))),
        }
    }
}

fn plural(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Node => "nodes",
        ObjectKind::Way => "ways",
        ObjectKind::Relation => "relations",
    }
}

//! What is wanted, decided on a block's own texts: objects that are not wanted cost no allocation.

use super::block::Meta;
use super::object::record_id;
use crate::domain::{Layer, LeftOutRule, ObjectKind, Reject, RejectCode, TagSet};
use crate::pipeline::layers::{LayerFeature, LayerRows, LayerShape};
use crate::pipeline::ports::{Demand, LayerCount};

/// Some tag of an object may make it a place.
pub(super) const PLACES: u8 = 1;
/// Some tag of an object may bring it into a layer.
pub(super) const LAYERS: u8 = 2;
const ASKED: u8 = 4;

/// What a block's texts mean for what is wanted.
pub(super) struct Judge<'w, 'b> {
    pub(super) wanted: &'w Demand<'w>,
    strings: &'b [&'b [u8]],
    /// Per text: whom it matters to as a key. 0: not asked yet.
    asked: Vec<u8>,
}

impl<'w, 'b> Judge<'w, 'b> {
    pub(super) fn new(wanted: &'w Demand<'w>, strings: &'b [&'b [u8]]) -> Self {
        Self { wanted, strings, asked: vec![0; strings.len()] }
    }

    /// Whom an object with these tags may matter to.
    #[inline]
    pub(super) fn matters(&mut self, tags: &[(u32, u32)]) -> u8 {
        tags.iter().fold(0, |whom, (key, _)| whom | self.key_matters(*key))
    }

    fn key_matters(&mut self, key: u32) -> u8 {
        // A key that cannot be read may be the one that matters, so it counts as if it did.
        let Some(asked) = self.asked.get_mut(key as usize) else { return PLACES | LAYERS };
        if *asked == 0 {
            *asked = ASKED
                | match std::str::from_utf8(self.strings[key as usize]) {
                    Ok(key) => {
                        let place = if self.wanted.taxonomy.hangs_on(key) { PLACES } else { 0 };
                        let layer = self.wanted.layers.iter().any(|layer| layer.filter.hangs_on(key));
                        place | if layer { LAYERS } else { 0 }
                    }
                    Err(_) => PLACES | LAYERS,
                };
        }
        *asked & !ASKED
    }

    /// Whether one of the tags may make an object a place. One that cannot be read may.
    pub(super) fn hangs_on_tags(&self, tags: &[(u32, u32)]) -> bool {
        let hangs = |(key, value): &(u32, u32)| match (self.text(*key), self.text(*value)) {
            (Some(key), Some(value)) => self.wanted.taxonomy.hangs_on_tag(key, value),
            _ => true,
        };
        tags.iter().any(|tag| self.asked.get(tag.0 as usize).is_none_or(|asked| asked & PLACES != 0) && hangs(tag))
    }

    /// Puts the tags as texts into `texts`, sorted by key and each key once; `false` when one cannot be read.
    pub(super) fn texts(&self, tags: &[(u32, u32)], texts: &mut Vec<(&'b str, &'b str)>) -> bool {
        texts.clear();
        for (key, value) in tags {
            let (Some(key), Some(value)) = (self.text(*key), self.text(*value)) else { return false };
            texts.push((key, value));
        }
        texts.sort_by_key(|(key, _)| *key);
        texts.dedup_by_key(|(key, _)| *key);
        true
    }

    /// The text of this number.
    pub(super) fn text(&self, index: u32) -> Option<&'b str> {
        std::str::from_utf8(self.strings.get(index as usize)?).ok()
    }
}

/// What a message says of an object whose tags cannot be read.
pub(super) const BROKEN_TAG: &str = "a tag of it is not UTF-8, or not in the file's table of texts";

/// What the layers took of some objects.
#[derive(Debug, Default)]
pub(super) struct LayerTally {
    pub(super) rows: Vec<LayerRows>,
    pub(super) rejects: Vec<(usize, Reject)>,
    pub(super) counts: Vec<LayerCount>,
}

/// What became of an object in a layer.
pub(super) enum Outcome {
    /// It has a row.
    Kept,
    LeftOut(LeftOutRule),
    Rejected(Reject),
}

impl LayerTally {
    /// Nothing yet, with room for the rows of so many bytes of input: what is not used costs no memory.
    pub(super) fn new(layers: &[Layer], size_bytes: usize) -> Self {
        Self {
            rows: layers.iter().map(|_| LayerRows::with_capacity(size_bytes)).collect(),
            rejects: Vec::new(),
            counts: vec![LayerCount::default(); layers.len()],
        }
    }

    /// Counts objects that no layer wants.
    pub(super) fn leave_out(&mut self, rule: LeftOutRule, objects: u64) {
        for count in &mut self.counts {
            count.left_out.add(rule, objects);
        }
    }

    /// Refuses an object whose tags cannot be read, in every layer.
    pub(super) fn refuse(&mut self, kind: ObjectKind, id: i64, position: Option<(f64, f64)>, message: &str) {
        let reject = |_| Reject {
            record_id: record_id(kind, id),
            code: RejectCode::Malformed,
            position,
            line: None,
            message: message.to_owned(),
        };
        for (at, count) in self.counts.iter_mut().enumerate() {
            count.rejected += 1;
            self.rejects.push((at, reject(at)));
        }
    }

    /// Takes note of what became of an object in the layer of this place.
    pub(super) fn note(&mut self, layer: usize, outcome: Outcome) {
        match outcome {
            Outcome::Kept => self.counts[layer].kept += 1,
            Outcome::LeftOut(rule) => self.counts[layer].left_out.add(rule, 1),
            Outcome::Rejected(reject) => {
                self.counts[layer].rejected += 1;
                self.rejects.push((layer, reject));
            }
        }
    }

    /// Adds what was taken of the objects behind.
    pub(super) fn append(&mut self, other: &mut Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            count.kept += more.kept;
            count.rejected += more.rejected;
            count.left_out.merge(&more.left_out);
        }
        self.rejects.append(&mut other.rejects);
    }
}

/// Whether a layer wants an object with these tags; a relation is more than its `type`.
pub(super) fn fits(layer: &Layer, kind: ObjectKind, tags: &[(&str, &str)]) -> bool {
    let only_a_type = kind == ObjectKind::Relation && tags.pairs().all(|(key, _)| key == "type");
    !only_a_type && layer.filter.matches(kind, tags)
}

/// The row of an object in a layer.
pub(super) fn row<'a>(
    layer: &Layer,
    (osm_type, id): (ObjectKind, i64),
    shape: LayerShape<'a>,
    tags: &'a [(&'a str, &'a str)],
    meta: &Meta<'a>,
) -> LayerFeature<'a> {
    let name = meta.user.and_then(|name| std::str::from_utf8(name).ok());
    LayerFeature {
        osm_type,
        id,
        shape,
        tags,
        version: meta.version,
        time_ms: meta.time_ms,
        changeset: meta.changeset,
        user: if layer.users { (meta.uid, name) } else { (None, None) },
        incomplete: false,
        repairs: &[],
    }
}

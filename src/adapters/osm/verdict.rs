//! What may become of an object: a place, a row of a layer, a reject, or nothing by a named rule.

use super::block::Meta;
use super::judge::{BROKEN_TAG, Judge, LayerTally, PLACES};
use super::object::{Geometry, Object, record_id};
use super::versions::Counts;
use crate::domain::{LeftOutRule, ObjectKind, Reject, RejectCode, TagSet, Tags, Timestamp};

/// What may become of an object as a place.
pub(super) enum Verdict {
    LeftOut(LeftOutRule),
    Rejected(Reject),
    Wanted(Tags),
}

/// What may become of an object as a place, as far as its tags tell.
#[expect(clippy::too_many_arguments, reason = "all that is known of an object")]
pub(super) fn verdict(
    judge: &Judge<'_, '_>,
    kind: ObjectKind,
    id: i64,
    tags: &[(u32, u32)],
    whom: u8,
    counts: Counts,
    meta: &Meta<'_>,
    position: Option<(f64, f64)>,
) -> Verdict {
    if counts == Counts::Superseded {
        return Verdict::LeftOut(LeftOutRule::Superseded);
    }
    if !meta.visible {
        return Verdict::LeftOut(LeftOutRule::NotLive);
    }
    if whom & PLACES == 0 || !judge.hangs_on_tags(tags) {
        return Verdict::LeftOut(LeftOutRule::NotMatched);
    }
    let mut texts = Vec::new();
    if !judge.texts(tags, &mut texts) {
        return Verdict::Rejected(malformed(kind, id, position, BROKEN_TAG));
    }
    if !judge.wanted.taxonomy.wants(kind, texts.as_slice()) {
        return Verdict::LeftOut(LeftOutRule::NotMatched);
    }
    if counts == Counts::Repeated {
        return Verdict::Rejected(repeated(kind, id, position));
    }
    Verdict::Wanted(texts.into_iter().collect())
}

/// Whether an object may have rows in layers; if not, it is counted.
pub(super) fn may_have_rows(tally: &mut LayerTally, counts: Counts, meta: &Meta<'_>) -> bool {
    if counts == Counts::Superseded {
        tally.leave_out(LeftOutRule::Superseded, 1);
    } else if !meta.visible {
        tally.leave_out(LeftOutRule::NotLive, 1);
    }
    counts != Counts::Superseded && meta.visible
}

/// Whether the tags of a relation say that its members enclose an area.
pub(super) fn is_area(tags: &[(&str, &str)]) -> bool {
    matches!(tags.value_of("type"), Some("multipolygon" | "boundary"))
}

/// An object that is wanted as a place.
pub(super) fn object(kind: ObjectKind, id: i64, meta: &Meta<'_>, tags: Tags, geometry: Geometry) -> Object {
    let time = meta.time_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
    Object { kind, id, version: meta.version, time, tags, geometry }
}

/// Refuses an object that cannot be read.
pub(super) fn malformed(kind: ObjectKind, id: i64, position: Option<(f64, f64)>, message: &str) -> Reject {
    Reject {
        record_id: record_id(kind, id),
        code: RejectCode::Malformed,
        position,
        line: None,
        message: message.to_owned(),
    }
}

/// Refuses an object that is in the file more than once.
pub(super) fn repeated(kind: ObjectKind, id: i64, position: Option<(f64, f64)>) -> Reject {
    let message = "another object of this id is in the file and counts".to_owned();
    Reject { record_id: record_id(kind, id), code: RejectCode::RepeatedId, position, line: None, message }
}

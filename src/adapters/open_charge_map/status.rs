//! Status: whether a record is live, a duplicate of another, or withdrawn; and whether the place works.

use super::json::Fields;
use super::reference::{List, Reference};
use crate::domain::{Finding, FindingRule, Status};

/// Submission statuses of records that were never shown: under review, rejected.
const NEVER_SHOWN: [i64; 3] = [1, 50, 250];

/// Submission status of a duplicate that was delisted.
const DELISTED_DUPLICATE: i64 = 1001;

/// Submission status of what is a private home, or otherwise not public: never kept, whatever else the record says.
const PRIVATE: i64 = 1010;

/// Status of a duplicate that somebody removed.
const REMOVED_DUPLICATE: i64 = 210;

/// What an import writes into the comments of a record that repeats another of its batch, before that one's number.
const DUPLICATE_MARK: &str = "[Duplicate of OCM-";

/// Whether a record is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Published, or without a word on it.
    Live,
    /// It repeats the record of this number.
    DuplicateOf(i64),
    /// Withdrawn, never shown, or a duplicate of nobody knows what.
    Withdrawn,
}

/// Tells whether a record with this id is in use.
///
/// - A duplicate says so by its submission status (1001), its status (210), or the mark of an import in its comments that
///   agrees with its `ParentChargePointID`.
/// - A submission status in no table counts by `SubmissionStatus.IsLive`, and as withdrawn without it.
pub(super) fn standing(id: i64, record: Fields<'_>, reference: &Reference) -> Standing {
    let passed = &mut Vec::new();
    let submission = record.reference("SubmissionStatusTypeID", "SubmissionStatus", passed);
    // A status that cannot be read may be that of a private home.
    if submission.is_none() && !passed.is_empty() {
        return Standing::Withdrawn;
    }
    let says_live = record.object("SubmissionStatus").flag("IsLive");
    let is_live = match submission {
        Some(submission) => {
            reference.is_live(submission).or(says_live.filter(|_| !is_known(submission))).unwrap_or(false)
        }
        None => says_live != Some(false),
    };
    if submission.is_some_and(|submission| submission == PRIVATE || NEVER_SHOWN.contains(&submission)) {
        return Standing::Withdrawn;
    }
    let parent = record.integer("ParentChargePointID", passed).filter(|parent| *parent > 0);
    let marked = duplicate_mark(record);
    let is_delisted = submission == Some(DELISTED_DUPLICATE)
        || reference.number(List::Status, record, passed) == Some(REMOVED_DUPLICATE);
    let is_marked = is_live && marked.is_some() && marked == parent;
    match parent.or(marked) {
        Some(original) if (is_delisted || is_marked) && original != id => Standing::DuplicateOf(original),
        _ if is_live && !is_delisted => Standing::Live,
        _ => Standing::Withdrawn,
    }
}

/// Whether the reference data of 2023 has this submission status.
fn is_known(submission: i64) -> bool {
    [100, 200, DELISTED_DUPLICATE, PRIVATE, 1000, 1002, 1005, 1020].contains(&submission)
        || NEVER_SHOWN.contains(&submission)
}

/// The number behind the mark of an import, in the comments.
fn duplicate_mark(record: Fields<'_>) -> Option<i64> {
    let comments = record.text("GeneralComments", &mut Vec::new())?;
    let (_, behind) = comments.rsplit_once(DUPLICATE_MARK)?;
    behind.split_once(']')?.0.trim().parse().ok().filter(|id: &i64| *id > 0)
}

/// Comments as people wrote them: without the mark of an import at their end.
pub(super) fn without_mark(comments: &str) -> &str {
    let is_marked = |(_, behind): &(&str, &str)| behind.trim_end().ends_with(']');
    comments.rsplit_once(DUPLICATE_MARK).filter(is_marked).map_or(comments, |(before, _)| before).trim()
}

/// Status of the equipment of a place or a connection. `None` where the source does not say.
///
/// A number in no table counts by `StatusType.IsOperational`; without that, it is a finding.
pub(super) fn status(record: Fields<'_>, reference: &Reference, findings: &mut Vec<Finding>) -> Option<Status> {
    let id = reference.number(List::Status, record, findings);
    match id {
        Some(0 | 210) => return None,
        Some(10 | 20 | 30 | 50) => return Some(Status::Operational),
        Some(75) => return Some(Status::Partial),
        Some(100) => return Some(Status::OutOfOrder),
        Some(150) => return Some(Status::Planned),
        Some(200) => return Some(Status::Removed),
        _ => {}
    }
    let stated = record.object("StatusType").flag("IsOperational");
    let works = stated.or_else(|| id.and_then(|id| reference.is_operational(id)));
    if let (None, Some(id)) = (works, id) {
        findings.push(Finding::dropped(FindingRule::UnknownCode, "StatusTypeID", id.to_string()));
    }
    works.map(|works| if works { Status::Operational } else { Status::OutOfOrder })
}

#[cfg(test)]
mod tests {
    use super::super::json::with;
    use super::*;

    #[test]
    fn the_mark_of_an_import_is_no_comment() {
        let cases = [
            ("Near the mill. [Duplicate of OCM-5]", "Near the mill."),
            ("[Duplicate of OCM-5]", ""),
            ("[Duplicate of OCM-5] or not", "[Duplicate of OCM-5] or not"),
            ("Near the mill.", "Near the mill."),
        ];
        for (comments, expected) in cases {
            assert_eq!(without_mark(comments), expected, "{comments}");
        }
    }

    #[test]
    fn submission_status_and_status_decide_whether_a_record_is_in_use() {
        use Standing::{DuplicateOf, Live, Withdrawn};
        let cases = [
            (r"{}", Live),
            (r#"{"SubmissionStatusTypeID": 100}"#, Live),
            (r#"{"SubmissionStatusTypeID": 200}"#, Live),
            (r#"{"SubmissionStatusTypeID": "200"}"#, Live),
            (r#"{"SubmissionStatus": {"ID": 200}}"#, Live),
            (r#"{"SubmissionStatus": {"IsLive": true}}"#, Live),
            (r#"{"SubmissionStatus": {"IsLive": false}}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": "1010 (private)"}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": [1010]}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 50}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 250}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1000}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1000, "SubmissionStatus": {"IsLive": true}}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1002, "ParentChargePointID": 5}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1005, "ParentChargePointID": 5}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1010}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1020}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 3000}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 3000, "SubmissionStatus": {"IsLive": true}}"#, Live),
            (r#"{"SubmissionStatusTypeID": 1001}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1001, "ParentChargePointID": 5}"#, DuplicateOf(5)),
            (r#"{"SubmissionStatusTypeID": 1001, "ParentChargePointID": 7}"#, Withdrawn),
            (r#"{"SubmissionStatusTypeID": 1001, "GeneralComments": "Near. [Duplicate of OCM-5]"}"#, DuplicateOf(5)),
            (r#"{"SubmissionStatusTypeID": 1001, "GeneralComments": "[Duplicate of OCM-]"}"#, Withdrawn),
            (r#"{"StatusTypeID": 210}"#, Withdrawn),
            (r#"{"StatusTypeID": 210, "ParentChargePointID": 5}"#, DuplicateOf(5)),
            (
                r#"{"StatusType": {"ID": 210}, "SubmissionStatusTypeID": 1000, "ParentChargePointID": 5}"#,
                DuplicateOf(5),
            ),
            (r#"{"StatusType": {"Title": "Removed (Duplicate Listing)"}, "ParentChargePointID": 5}"#, DuplicateOf(5)),
            (r#"{"StatusTypeID": 210, "SubmissionStatusTypeID": 1010, "ParentChargePointID": 5}"#, Withdrawn),
            (r#"{"StatusTypeID": 210, "SubmissionStatusTypeID": 250, "ParentChargePointID": 5}"#, Withdrawn),
            (
                r#"{"SubmissionStatusTypeID": 100, "ParentChargePointID": 5, "GeneralComments": "x [Duplicate of OCM-5]"}"#,
                DuplicateOf(5),
            ),
            (
                r#"{"SubmissionStatusTypeID": 100, "ParentChargePointID": 6, "GeneralComments": "x [Duplicate of OCM-5]"}"#,
                Live,
            ),
            (r#"{"SubmissionStatusTypeID": 100, "GeneralComments": "x [Duplicate of OCM-5]"}"#, Live),
            (r#"{"SubmissionStatusTypeID": 100, "ParentChargePointID": 5}"#, Live),
            (r#"{"SubmissionStatusTypeID": 100, "StatusTypeID": 200}"#, Live),
        ];
        let reference = Reference::built_in();
        for (text, expected) in cases {
            assert_eq!(with(text, |record| standing(7, record, &reference)), expected, "{text}");
        }
    }
}

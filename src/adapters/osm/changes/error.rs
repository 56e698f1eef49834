//! Why an extract cannot be brought up to date.

use std::io;
use std::path::PathBuf;

use crate::adapters::io::HttpError;

/// A failure that concerns the changes as a whole.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum ChangesError {
    #[error("there is nothing at {}; correct the source's `changes`", path.display())]
    Missing { path: PathBuf },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} holds no changes (`*.osc.gz`, or `*.osc`)", path.display())]
    None { path: PathBuf },
    #[error("{name} is no state file: {fault}")]
    State { name: String, fault: &'static str },
    #[error("number {sequence} is given twice in {place}: {first} and {second}")]
    Twice { place: String, sequence: u64, first: String, second: String },
    #[error("{name} in {place} says it is number {stated}")]
    Misnamed { place: String, name: String, stated: u64 },
    #[error(
        "number {missing} is missing in {place}, but numbers up to {newest} are there; without it the result would be \
         wrong: fetch it, or take an extract that is newer than it"
    )]
    Gap { place: String, missing: u64, newest: u64 },
    #[error(
        "{place} cannot tell where to begin: the extract's header states neither a replication sequence number nor a date"
    )]
    NoBeginning { place: String },
    #[error("{place} begins after {time}, the date of the extract; take a newer extract")]
    TooOld { place: String, time: crate::domain::Timestamp },
    #[error("{name} is damaged at byte {offset_bytes} of its text; fetch it again")]
    Damaged { name: String, offset_bytes: u64, source: OscFault },
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// What is wrong in a file of changes.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum OscFault {
    #[error("it is cut off")]
    CutOff,
    #[error("it is empty")]
    Empty,
    #[error("it cannot be read or inflated")]
    Read(#[source] io::Error),
    #[error("it is not well-formed XML")]
    Xml(#[source] quick_xml::Error),
    #[error("it is written in {encoding}, but only UTF-8 is read")]
    Encoding { encoding: String },
    #[error("it is no OsmChange file: it begins with <{found}>")]
    NotChanges { found: String },
    #[error("it is of version {version} of OsmChange; only 0.6 is known")]
    Version { version: String },
    #[error("<{element}> is not known in {within}")]
    Unknown { element: String, within: &'static str },
    #[error("a <{element}> has no {attribute}")]
    Missing { element: &'static str, attribute: &'static str },
    #[error("a <{element}> has {attribute}=\"{value}\"")]
    Value { element: &'static str, attribute: String, value: String },
    #[error("there is text, a document type or an entity where elements belong")]
    Text,
    #[error("a tag or a comment is absurdly long")]
    TooLong,
    #[error("a <{element}> has an absurd number of parts")]
    TooMany { element: &'static str },
}

impl OscFault {
    /// The id in `element` is none.
    pub(super) fn reference(element: &'static str, value: &str) -> Self {
        Self::Value { element, attribute: "ref".to_owned(), value: super::osc::short(value) }
    }
}

impl From<quick_xml::Error> for OscFault {
    fn from(error: quick_xml::Error) -> Self {
        use quick_xml::errors::SyntaxError;
        match error {
            quick_xml::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::CutOff,
            quick_xml::Error::Io(error) => Self::Read(io::Error::new(error.kind(), error)),
            quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => Self::Xml(error),
            // The parser says of all others that the input ended.
            quick_xml::Error::Syntax(_) => Self::CutOff,
            _ => Self::Xml(error),
        }
    }
}

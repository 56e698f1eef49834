//! Open: a file of any format, its columns held against those that the mapping names.

use std::path::Path;

use super::cell::Row;
use super::csv::{Csv, Fields};
use super::error::TableError;
use super::format::{self, Kind};
#[cfg(feature = "gdal")]
use super::gdal::{self, GdalRows};
use super::json;
use super::mapping::Mapping;
#[cfg(feature = "gdal")]
use super::objects::Object;
use super::objects::Objects;
use super::parquet::{self, ParquetRow, ParquetRows};
use super::plan::{Named, Plan, PlannedId, PlannedPosition};
use super::projection::Projection;
use crate::adapters::io::{Frame, JsonRecord, JsonRecords, Layout};
use crate::domain::Reject;

/// Most columns that a message names.
const NAMES_TOLD: usize = 60;

/// How alike two names are that may be meant for each other.
const ALIKE: f64 = 0.7;

/// A record as its format frames it, not yet looked at.
pub(super) enum Raw {
    Frame(Frame),
    Json(JsonRecord),
    Parquet(ParquetRow),
    #[cfg(feature = "gdal")]
    Object(Box<Object>),
}

/// Records of a file, in order.
pub(super) enum Records<'a> {
    Csv(Box<Csv<'a>>),
    Json(JsonRecords<'a>),
    Parquet(Box<ParquetRows<'a>>),
    #[cfg(feature = "gdal")]
    Gdal(Box<GdalRows<'a>>),
}

/// What makes rows of records, on any thread.
pub(super) enum Decoder {
    Fields(Fields),
    Objects(Objects),
}

/// A file that is ready to be read.
pub(super) struct Table<'a> {
    pub(super) records: Records<'a>,
    pub(super) decoder: Decoder,
    pub(super) projection: Option<Projection>,
    /// For a person, e.g. ``CSV with `;`, header in line 11``.
    pub(super) told: String,
    /// Every column.
    pub(super) names: Vec<String>,
}

impl Raw {
    /// About how much memory it takes.
    pub(super) fn size_bytes(&self) -> usize {
        const A_ROW: usize = 1_024;
        match self {
            Self::Frame(frame) => frame.size_bytes(),
            Self::Json(record) => record.bytes.len(),
            Self::Parquet(_) => A_ROW,
            #[cfg(feature = "gdal")]
            Self::Object(_) => A_ROW,
        }
    }
}

impl Records<'_> {
    /// The next record; `None` after the last.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on.
    pub(super) fn next(&mut self) -> Result<Option<Raw>, TableError> {
        Ok(match self {
            Self::Csv(csv) => csv.next()?.map(Raw::Frame),
            Self::Json(records) => records.next()?.map(Raw::Json),
            Self::Parquet(rows) => rows.next()?.map(Raw::Parquet),
            #[cfg(feature = "gdal")]
            Self::Gdal(rows) => rows.next()?.map(|object| Raw::Object(Box::new(object))),
        })
    }
}

impl Decoder {
    /// The row of a record.
    ///
    /// # Errors
    ///
    /// A reject, when it is no record.
    pub(super) fn row(&self, raw: Raw) -> Result<Row, Reject> {
        match (self, raw) {
            (Self::Fields(fields), Raw::Frame(frame)) => fields.row(&frame),
            (Self::Objects(objects), Raw::Json(record)) => json::object(&record).map(|object| objects.row(object)),
            (Self::Objects(objects), Raw::Parquet(row)) => Ok(objects.row(row.object())),
            #[cfg(feature = "gdal")]
            (Self::Objects(objects), Raw::Object(object)) => Ok(objects.row(*object)),
            (Self::Fields(_), _) | (Self::Objects(_), Raw::Frame(_)) => {
                unreachable!("a format has one kind of record")
            }
        }
    }
}

/// What is known of the columns of a file.
struct Columns<'a> {
    path: &'a Path,
    names: &'a [String],
    where_from: String,
    encoding: &'static str,
    /// Whether a numbered group may be missing from the second on.
    groups_may_end: bool,
}

impl Columns<'_> {
    /// By slot, whether there is the column.
    ///
    /// # Errors
    ///
    /// When there is none of that name, and it may not be missing.
    fn check(&self, wanted: &[Named], has: &[bool]) -> Result<(), TableError> {
        for (named, has) in wanted.iter().zip(has) {
            if *has || named.is_optional || (self.groups_may_end && named.is_repeated) {
                continue;
            }
            let (path, column, key) = (self.path.to_owned(), named.column.clone(), named.key.clone());
            let numbered = |name: &&String| {
                name.rsplit_once('#').is_some_and(|(head, n)| head == column && n.parse::<usize>().is_ok())
            };
            let times = self.names.iter().filter(numbered).count();
            if times > 0 && !column.is_empty() {
                return Err(TableError::RepeatedColumn { path, column, key, times });
            }
            let alike = |name: &&String| strsim::jaro(&name.to_lowercase(), &column.to_lowercase());
            let nearest = self.names.iter().rev().max_by(|a, b| alike(a).total_cmp(&alike(b)));
            let nearest = nearest.filter(|name| alike(name) >= ALIKE);
            let nearest = nearest.map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"));
            let help = format!("{nearest}; {} {}{}", self.where_from, listed(self.names), self.encoding).into();
            return Err(TableError::UnknownColumn { path, column, key, help });
        }
        Ok(())
    }
}

/// Names as a list for a person.
pub(super) fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let mut told: Vec<String> = names.iter().take(NAMES_TOLD).map(|name| format!("`{name}`")).collect();
    if names.len() > NAMES_TOLD {
        told.push(format!("and {} more", names.len() - NAMES_TOLD));
    }
    told.join(", ")
}

/// Opens a file. `on_progress` is told of bytes, or of rows where the format counts those.
///
/// # Errors
///
/// When it cannot be read, or its columns are not those that the mapping names.
pub(super) fn open<'a>(
    path: &'a Path,
    mapping: &Mapping,
    plan: &Plan,
    on_progress: impl Fn(u64) + 'a,
) -> Result<Table<'a>, TableError> {
    let projection = mapping.crs.as_deref().map(Projection::from).transpose()?;
    match format::kind(path, mapping.format)? {
        Kind::Csv => of_csv(path, mapping, plan, projection, on_progress),
        Kind::Json => of_json(path, mapping, plan, projection, on_progress),
        Kind::Parquet => of_parquet(path, plan, projection, on_progress),
        Kind::Other(what) => other(path, mapping, plan, projection, what),
        Kind::NoTable(what) => Err(TableError::NoTable { path: path.to_owned(), what }),
    }
}

/// Whether ids and positions come from where the format has them.
fn check_own(path: &Path, plan: &Plan, has_ids: bool, has_geometry: bool) -> Result<(), TableError> {
    if plan.id == PlannedId::Own && !has_ids {
        return Err(TableError::NoId { path: path.to_owned() });
    }
    if plan.position == PlannedPosition::Own && !has_geometry {
        return Err(TableError::NoGeometry { path: path.to_owned() });
    }
    Ok(())
}

fn of_csv<'a>(
    path: &'a Path,
    mapping: &Mapping,
    plan: &Plan,
    projection: Option<Projection>,
    on_progress: impl Fn(u64) + 'a,
) -> Result<Table<'a>, TableError> {
    check_own(path, plan, false, false)?;
    let reader = format::open_text(path, mapping.encoding.as_deref(), on_progress)?;
    let csv = Csv::open(path, reader, mapping, &plan.columns)?;
    let slot = |named: &Named| csv.columns.iter().position(|column| *column == named.column);
    let slots: Vec<Option<usize>> = plan.columns.iter().map(slot).collect();
    let encoding = if csv.is_header_readable {
        ""
    } else {
        "; the header is not in the encoding of the mapping: say which it is, e.g. encoding = \"windows-1252\""
    };
    let columns = Columns {
        path,
        names: &csv.columns,
        where_from: format!("line {} has", csv.header_line),
        encoding,
        groups_may_end: false,
    };
    columns.check(&plan.columns, &slots.iter().map(Option::is_some).collect::<Vec<_>>())?;
    let delimiter = (csv.delimiter as char).escape_default();
    let told = format!("CSV with `{delimiter}`, header in line {}", csv.header_line);
    let names = csv.columns.clone();
    let fields = Fields { columns: names.clone(), encoding: csv.encoding, slots, all_tags: plan.all_tags };
    Ok(Table { records: Records::Csv(Box::new(csv)), decoder: Decoder::Fields(fields), projection, told, names })
}

/// By slot, the column, where there is one.
fn objects(plan: &Plan, has: &[bool]) -> Decoder {
    let columns = plan.columns.iter().zip(has).map(|(named, has)| has.then(|| named.column.clone())).collect();
    Decoder::Objects(Objects { columns, all_tags: plan.all_tags })
}

fn of_json<'a>(
    path: &'a Path,
    mapping: &Mapping,
    plan: &Plan,
    projection: Option<Projection>,
    on_progress: impl Fn(u64) + 'a,
) -> Result<Table<'a>, TableError> {
    let look = json::look(path, mapping.records.as_deref(), &plan.columns)?;
    let names: Vec<String> = look.names.into_iter().collect();
    if look.records > 0 {
        let where_from = "its records have".to_owned();
        let columns = Columns { path, names: &names, where_from, encoding: "", groups_may_end: true };
        columns.check(&plan.columns, &look.has)?;
        check_own(path, plan, look.has_id, look.has_geometry)?;
    }
    let told = match look.layout {
        Layout::Enclosed if look.has_geometry => "GeoJSON",
        Layout::Array | Layout::Enclosed => "a JSON array",
        Layout::Lines => "JSON Lines",
        Layout::Objects => "JSON objects",
    };
    let records = JsonRecords::open(path, &json::enclosing(mapping.records.as_deref()), on_progress)?;
    // A column that the first records lack may be in a later one.
    let decoder = objects(plan, &vec![true; plan.columns.len()]);
    Ok(Table { records: Records::Json(records), decoder, projection, told: told.to_owned(), names })
}

fn of_parquet<'a>(
    path: &'a Path,
    plan: &Plan,
    projection: Option<Projection>,
    on_progress: impl Fn(u64) + 'a,
) -> Result<Table<'a>, TableError> {
    let look = parquet::look(path, &plan.columns)?;
    let where_from = "it has".to_owned();
    let columns = Columns { path, names: &look.names, where_from, encoding: "", groups_may_end: false };
    columns.check(&plan.columns, &look.has)?;
    check_own(path, plan, false, look.geometry.is_some())?;
    let own = look.geometry.filter(|_| plan.position == PlannedPosition::Own);
    let projection = match (projection, look.crs.filter(|_| own.is_some())) {
        (None, Some(crs)) if cfg!(feature = "gdal") => Some(Projection::from(&crs)?),
        (None, Some(crs)) => return Err(TableError::OtherCrs { path: path.to_owned(), crs }),
        (projection, _) => projection,
    };
    let told = format!("Parquet with {} rows", look.rows);
    let rows = ParquetRows::open(path, &plan.columns, plan.all_tags, own, Box::new(on_progress))?;
    let decoder = objects(plan, &look.has);
    Ok(Table { records: Records::Parquet(Box::new(rows)), decoder, projection, told, names: look.names })
}

#[cfg(feature = "gdal")]
fn other<'a>(
    path: &'a Path,
    mapping: &Mapping,
    plan: &Plan,
    projection: Option<Projection>,
    _: &'static str,
) -> Result<Table<'a>, TableError> {
    let look = gdal::look(path, mapping.layer.as_deref())?;
    let has: Vec<bool> = plan.columns.iter().map(|named| look.names.contains(&named.column)).collect();
    let where_from = "it has".to_owned();
    let columns = Columns { path, names: &look.names, where_from, encoding: "", groups_may_end: false };
    columns.check(&plan.columns, &has)?;
    check_own(path, plan, false, look.has_geometry)?;
    let rows = look.rows.map_or_else(String::new, |rows| format!(" with {rows} rows"));
    let told = format!("{}{rows}", look.driver);
    let records = GdalRows::open(path, mapping.layer.as_deref(), mapping.crs.as_deref())?;
    let decoder = objects(plan, &has);
    Ok(Table { records: Records::Gdal(Box::new(records)), decoder, projection, told, names: look.names })
}

#[cfg(not(feature = "gdal"))]
fn other<'a>(
    path: &'a Path,
    _: &Mapping,
    _: &Plan,
    _: Option<Projection>,
    what: &'static str,
) -> Result<Table<'a>, TableError> {
    Err(TableError::NeedsGdal { path: path.to_owned(), what })
}

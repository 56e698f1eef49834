//! Columns: rows of a layer as one Arrow batch, filled column by column without a value in between.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, FixedSizeBinaryArray, Float32Array, Int64Array, ListArray, MapArray, RecordBatch,
    StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields};
use sha2::{Digest, Sha256};

use super::decode::{Cursor, split, write_wkb};
use super::row::{INCOMPLETE, volatile};
use super::{RowKey, SortedRows};
use crate::domain::{GeometryKind, GeometryRepair, Layer, PromotedKind};
use crate::pipeline::RunError;
use crate::pipeline::tabulate::Table;
use crate::pipeline::tabulate::rows::rounded_outward;

/// Bytes of a hash in a table.
const HASH_BYTES: usize = 16;

/// In a millisecond.
const MICROS_PER_MILLI: i64 = 1000;

/// Kinds of objects, by the number in their key.
const OSM_TYPES: [&str; 3] = ["node", "way", "relation"];

/// What was met while rows became columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Values that could not be read as the type of their promoted column, by the column's name.
    pub unreadable: BTreeMap<String, u64>,
    /// Rows whose geometry was repaired, by rule.
    pub repaired: BTreeMap<String, u64>,
}

impl Tally {
    /// Adds the counts of `other`.
    pub fn merge(&mut self, other: Self) {
        for (into, from) in [(&mut self.unreadable, other.unreadable), (&mut self.repaired, other.repaired)] {
            for (name, count) in from {
                *into.entry(name).or_default() += count;
            }
        }
    }
}

/// The rows as a batch of the layer's table.
///
/// # Errors
///
/// When the columns are not those of `table`, which must be that of `layer`.
pub fn layer_batch(table: &Table, layer: &Layer, rows: &SortedRows) -> Result<(RecordBatch, Tally), RunError> {
    let mut columns = Columns::new(layer, rows.len(), rows.payload_bytes());
    for (key, payload) in rows.iter() {
        columns.push(key, payload);
    }
    let tally = columns.tally(layer);
    let batch = columns.finish(table, layer).map_err(RunError::failed)?;
    Ok((batch, tally))
}

/// Texts whose bytes are looked at once, when they are all there.
struct Texts {
    offsets: Vec<i32>,
    bytes: Vec<u8>,
}

impl Texts {
    fn new() -> Self {
        Self { offsets: vec![0], bytes: Vec::new() }
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.offsets.push(self.bytes.len() as i32);
    }

    fn len(&self) -> i32 {
        self.offsets.len() as i32 - 1
    }

    fn finish(self) -> Result<StringArray, ArrowError> {
        StringArray::try_new(offsets(self.offsets), Buffer::from_vec(self.bytes), None)
    }
}

fn offsets(offsets: Vec<i32>) -> OffsetBuffer<i32> {
    OffsetBuffer::new(ScalarBuffer::from(offsets))
}

/// A tag with a column of its own.
enum PromotedValues {
    Text(StringBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Boolean(BooleanBuilder),
}

impl PromotedValues {
    fn new(kind: PromotedKind) -> Self {
        match kind {
            PromotedKind::Text => Self::Text(StringBuilder::new()),
            PromotedKind::Integer => Self::Integer(Int64Builder::new()),
            PromotedKind::Number => Self::Number(Float64Builder::new()),
            PromotedKind::Boolean => Self::Boolean(BooleanBuilder::new()),
        }
    }

    /// Appends a value; says whether there is one that cannot be read.
    fn push(&mut self, value: Option<&str>) -> bool {
        let is_missing = match self {
            Self::Text(builder) => {
                builder.append_option(value);
                value.is_none()
            }
            Self::Integer(builder) => {
                let number = value.and_then(|value| value.trim().parse().ok());
                builder.append_option(number);
                number.is_none()
            }
            Self::Number(builder) => {
                let number =
                    value.and_then(|value| value.trim().parse().ok()).filter(|number: &f64| number.is_finite());
                builder.append_option(number);
                number.is_none()
            }
            Self::Boolean(builder) => {
                let truth = match value.map(str::trim) {
                    Some("yes" | "true" | "1") => Some(true),
                    Some("no" | "false" | "0") => Some(false),
                    _ => None,
                };
                builder.append_option(truth);
                truth.is_none()
            }
        };
        is_missing && value.is_some()
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => Arc::new(builder.finish()),
            Self::Number(mut builder) => Arc::new(builder.finish()),
            Self::Boolean(mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// Every column in the making.
struct Columns<'l> {
    osm_type: Texts,
    osm_id: Vec<i64>,
    kind: Texts,
    wkb_ends: Vec<i32>,
    wkb: Vec<u8>,
    bbox: [Vec<f32>; 4],
    promoted: Vec<PromotedValues>,
    /// Keys of the promoted tags in their order, with the place of their column.
    promoted_keys: Vec<(&'l [u8], usize)>,
    /// Per promoted column, where its value in this row lies among those of the tags.
    promoted_values: Vec<Option<Range<usize>>>,
    unreadable: Vec<u64>,
    tag_ends: Vec<i32>,
    tag_keys: Texts,
    tag_values: Texts,
    version: Int32Builder,
    time: Vec<Option<i64>>,
    changeset: Int64Builder,
    uid: Int32Builder,
    user: StringBuilder,
    incomplete: BooleanBuilder,
    repair_ends: Vec<i32>,
    repairs: Texts,
    repaired: Vec<u64>,
    content_hash: Vec<u8>,
    row_hash: Vec<u8>,
}

impl<'l> Columns<'l> {
    fn new(layer: &'l Layer, rows: usize, payload_bytes: usize) -> Self {
        let mut promoted_keys: Vec<(&[u8], usize)> =
            layer.columns.iter().enumerate().map(|(at, column)| (column.key.as_bytes(), at)).collect();
        promoted_keys.sort_unstable();
        Self {
            osm_type: Texts::new(),
            osm_id: Vec::with_capacity(rows),
            kind: Texts::new(),
            wkb_ends: vec![0],
            // WKB has 16 bytes where a payload has 3 to 5, and payloads are not all positions.
            wkb: Vec::with_capacity(2 * payload_bytes),
            bbox: std::array::from_fn(|_| Vec::with_capacity(rows)),
            promoted: layer.columns.iter().map(|column| PromotedValues::new(column.kind)).collect(),
            promoted_keys,
            promoted_values: vec![None; layer.columns.len()],
            unreadable: vec![0; layer.columns.len()],
            tag_ends: vec![0],
            tag_keys: Texts::new(),
            tag_values: Texts::new(),
            version: Int32Builder::with_capacity(rows),
            time: Vec::with_capacity(rows),
            changeset: Int64Builder::with_capacity(rows),
            uid: Int32Builder::new(),
            user: StringBuilder::new(),
            incomplete: BooleanBuilder::with_capacity(rows),
            repair_ends: vec![0],
            repairs: Texts::new(),
            repaired: vec![0; GeometryRepair::ALL.len()],
            content_hash: Vec::with_capacity(rows * HASH_BYTES),
            row_hash: Vec::with_capacity(rows * HASH_BYTES),
        }
    }

    fn push(&mut self, key: RowKey, payload: &[u8]) {
        let (content, volatile) = split(payload);
        self.osm_type.push(OSM_TYPES[usize::from(key.osm_type)].as_bytes());
        self.osm_id.push(key.id);
        self.kind.push(GeometryKind::ALL[usize::from(key.kind)].name().as_bytes());

        let mut row = Cursor::new(content);
        self.incomplete.append_value(row.byte() & INCOMPLETE != 0);
        let extent = write_wkb(&mut row, &mut self.wkb);
        self.wkb_ends.push(self.wkb.len() as i32);
        let ((west, south), (east, north)) = (extent.min.degrees(), extent.max.degrees());
        for (column, edge) in self.bbox.iter_mut().zip(rounded_outward([west, south, east, north])) {
            column.push(edge);
        }
        self.push_tags(&mut row);
        self.push_volatile(&mut Cursor::new(volatile));
        self.push_hashes(key, content, volatile);
    }

    /// Tags and promoted keys are both sorted, so one walk finds every promoted value.
    fn push_tags(&mut self, row: &mut Cursor<'_>) {
        self.promoted_values.fill(None);
        let mut wanted = self.promoted_keys.iter().peekable();
        for _ in 0..row.count() {
            let (key, value) = (row.text(), row.text());
            self.tag_keys.push(key);
            let begin = self.tag_values.bytes.len();
            self.tag_values.push(value);
            while wanted.next_if(|(promoted, _)| *promoted < key).is_some() {}
            while let Some((_, at)) = wanted.next_if(|(promoted, _)| *promoted == key) {
                self.promoted_values[*at] = Some(begin..begin + value.len());
            }
        }
        self.tag_ends.push(self.tag_keys.len());
        for (at, column) in self.promoted.iter_mut().enumerate() {
            let value = self.promoted_values[at]
                .clone()
                .map(|place| std::str::from_utf8(&self.tag_values.bytes[place]).expect("tags are texts"));
            self.unreadable[at] += u64::from(column.push(value));
        }
    }

    fn push_volatile(&mut self, row: &mut Cursor<'_>) {
        let flags = row.byte();
        let has = |bit: u8| flags & bit != 0;
        if has(volatile::REPAIRS) {
            let bits = row.byte();
            for (at, repair) in GeometryRepair::ALL.iter().enumerate() {
                if bits & (1 << *repair as u8) != 0 {
                    self.repairs.push(repair.name().as_bytes());
                    self.repaired[at] += 1;
                }
            }
        }
        self.repair_ends.push(self.repairs.len());
        self.version.append_option(has(volatile::VERSION).then(|| row.varint() as i32));
        self.time.push(has(volatile::TIME).then(|| row.signed() * MICROS_PER_MILLI));
        self.changeset.append_option(has(volatile::CHANGESET).then(|| row.signed()));
        self.uid.append_option(has(volatile::UID).then(|| row.signed() as i32));
        let user = has(volatile::USER).then(|| std::str::from_utf8(row.text()).expect("names are texts"));
        self.user.append_option(user);
    }

    fn push_hashes(&mut self, key: RowKey, content: &[u8], volatile: &[u8]) {
        let mut hasher = Sha256::new();
        let mut object = [key.osm_type; 10];
        object[1..9].copy_from_slice(&key.id.to_le_bytes());
        object[9] = key.kind;
        hasher.update(object);
        hasher.update(content);
        let content_hash = &hasher.finalize()[..HASH_BYTES];
        self.content_hash.extend_from_slice(content_hash);
        let row_hash = Sha256::new().chain_update(content_hash).chain_update(volatile).finalize();
        self.row_hash.extend_from_slice(&row_hash[..HASH_BYTES]);
    }

    fn tally(&self, layer: &Layer) -> Tally {
        let counted = |name: &str, count: u64| (count > 0).then(|| (name.to_owned(), count));
        let columns = layer.columns.iter().zip(&self.unreadable);
        let repairs = GeometryRepair::ALL.iter().zip(&self.repaired);
        Tally {
            unreadable: columns.filter_map(|(column, count)| counted(&column.name, *count)).collect(),
            repaired: repairs.filter_map(|(repair, count)| counted(repair.name(), *count)).collect(),
        }
    }

    fn finish(mut self, table: &Table, layer: &Layer) -> Result<RecordBatch, ArrowError> {
        let schema = table.schema();
        let box_fields = struct_fields(schema.field_with_name("bbox")?.data_type());
        let edges = self.bbox.map(|edges| Arc::new(Float32Array::from(edges)) as ArrayRef);
        let (pairs, is_sorted) = entries(schema.field_with_name("tags")?.data_type());
        let tags = StructArray::try_new(
            struct_fields(pairs.data_type()),
            vec![Arc::new(self.tag_keys.finish()?), Arc::new(self.tag_values.finish()?)],
            None,
        )?;
        let repairs = Arc::new(self.repairs.finish()?);
        let element = Arc::new(Field::new("element", DataType::Utf8, false));
        let hash = |hashes: Vec<u8>| FixedSizeBinaryArray::try_new(HASH_BYTES as i32, Buffer::from_vec(hashes), None);

        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.osm_type.finish()?),
            Arc::new(Int64Array::from(self.osm_id)),
            Arc::new(self.kind.finish()?),
            Arc::new(BinaryArray::try_new(offsets(self.wkb_ends), Buffer::from_vec(self.wkb), None)?),
            Arc::new(StructArray::try_new(box_fields, edges.to_vec(), None)?),
        ];
        columns.extend(self.promoted.into_iter().map(PromotedValues::finish));
        columns.extend([
            Arc::new(MapArray::try_new(pairs, offsets(self.tag_ends), tags, None, is_sorted)?) as ArrayRef,
            Arc::new(self.version.finish()),
            Arc::new(TimestampMicrosecondArray::from(self.time).with_timezone("UTC")),
            Arc::new(self.changeset.finish()),
        ]);
        if layer.users {
            columns.extend([Arc::new(self.uid.finish()) as ArrayRef, Arc::new(self.user.finish())]);
        }
        columns.extend([
            Arc::new(self.incomplete.finish()) as ArrayRef,
            Arc::new(ListArray::try_new(element, offsets(self.repair_ends), repairs, None)?),
            Arc::new(hash(self.content_hash)?),
            Arc::new(hash(self.row_hash)?),
        ]);
        RecordBatch::try_new(schema, columns)
    }
}

/// The fields of a struct; none of any other type.
fn struct_fields(data_type: &DataType) -> Fields {
    if let DataType::Struct(fields) = data_type { fields.clone() } else { Fields::empty() }
}

/// The entries of a map, and whether its keys are sorted.
fn entries(data_type: &DataType) -> (FieldRef, bool) {
    let DataType::Map(entries, is_sorted) = data_type else { unreachable!("tags are a map") };
    (entries.clone(), *is_sorted)
}

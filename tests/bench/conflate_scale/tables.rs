//! The tables of the benchmark: columns in, evidence out; groups and links in, Parquet out.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{ArrayBuilder, Float64Builder, StringBuilder, UInt32Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use poimill::pipeline::conflate::{Evidence, Resolution};
use rayon::prelude::*;

/// Rows in memory at once.
const BATCH: usize = 65_536;

/// A record of a source.
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) lon: f64,
    pub(crate) lat: f64,
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) website: Option<String>,
    pub(crate) street: Option<String>,
    pub(crate) housenumber: Option<String>,
    pub(crate) postcode: Option<String>,
}

/// The columns of a source beside its position.
const TEXTS: [&str; 7] = ["id", "name", "phone", "website", "street", "housenumber", "postcode"];

/// Writes a source.
pub(crate) struct Writer {
    to: Option<ArrowWriter<File>>,
    path: std::path::PathBuf,
    texts: [StringBuilder; 7],
    lon: Float64Builder,
    lat: Float64Builder,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> Self {
        let texts = std::array::from_fn(|_| StringBuilder::new());
        let (lon, lat) = (Float64Builder::new(), Float64Builder::new());
        Self { to: None, path: path.to_owned(), texts, lon, lat }
    }

    pub(crate) fn push(&mut self, line: &Line) {
        let Line { id, name, phone, website, street, housenumber, postcode, .. } = line;
        let given = [Some(id), Some(name), phone.as_ref(), website.as_ref(), street.as_ref(), housenumber.as_ref()];
        for (builder, text) in self.texts.iter_mut().zip(given.into_iter().chain([postcode.as_ref()])) {
            builder.append_option(text);
        }
        self.lon.append_value(line.lon);
        self.lat.append_value(line.lat);
        if self.texts[0].len() == BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let mut columns: Vec<(&str, ArrayRef)> =
            vec![("lon", Arc::new(self.lon.finish())), ("lat", Arc::new(self.lat.finish()))];
        let texts = self.texts.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef);
        columns.extend(TEXTS.into_iter().zip(texts));
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).unwrap();
        let writer = self.to.get_or_insert_with(|| writer(&self.path, &batch));
        writer.write(&batch).unwrap();
    }

    pub(crate) fn close(mut self) {
        self.flush();
        self.to.take().unwrap().close().unwrap();
    }
}

fn writer(path: &Path, first: &RecordBatch) -> ArrowWriter<File> {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
    let properties =
        WriterProperties::builder().set_compression(zstd).set_max_row_group_row_count(Some(1 << 18)).build();
    ArrowWriter::try_new(File::create(path).unwrap(), first.schema(), Some(properties)).unwrap()
}

/// Ids of all records, one behind the other.
#[derive(Default)]
pub(crate) struct Keys {
    text: String,
    ends: Vec<u64>,
    second_from: usize,
}

impl Keys {
    pub(crate) fn id(&self, at: usize) -> &str {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start as usize..self.ends[at] as usize]
    }

    fn push(&mut self, id: &str) {
        self.text.push_str(id);
        self.ends.push(self.text.len() as u64);
    }

    /// Whether the two are of different sources.
    pub(crate) fn is_across(&self, (a, b): (usize, usize)) -> bool {
        (a < self.second_from) != (b < self.second_from)
    }

    fn dataset(&self, at: usize) -> &'static str {
        if at < self.second_from { "a" } else { "b" }
    }
}

/// Reads the sources as evidence, a batch at a time.
pub(crate) fn read<'k>(folder: &Path, keys: &'k mut Keys, positions_only: bool) -> impl Iterator<Item = Evidence> + 'k {
    let batches = ["a", "b"].into_iter().enumerate().flat_map({
        let folder = folder.to_owned();
        move |(dataset, name)| {
            let file = File::open(folder.join(format!("{name}.parquet"))).unwrap();
            let reader =
                ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(BATCH).build().unwrap();
            reader.map(move |batch| (dataset, batch.unwrap()))
        }
    });
    batches.flat_map(move |(dataset, batch)| {
        let ids = batch.column_by_name("id").unwrap().as_string::<i32>();
        ids.iter().for_each(|id| keys.push(id.unwrap()));
        if dataset == 0 {
            keys.second_from = keys.ends.len();
        }
        let evidence = |at| evidence(&batch, at, dataset, positions_only);
        (0..batch.num_rows()).into_par_iter().map(evidence).collect::<Vec<_>>()
    })
}

/// What [`Evidence::of`] makes of a record with these columns.
fn evidence(batch: &RecordBatch, at: usize, dataset: usize, positions_only: bool) -> Evidence {
    let text = |name: &str| {
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        (!column.is_null(at)).then(|| column.value(at))
    };
    let number = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().value(at);
    let digits = |phone: &str| phone.chars().filter(char::is_ascii_digit).collect::<String>();
    let host = |site: &str| site.trim_start_matches("https://www.").trim_end_matches('/').to_owned();
    let place = Evidence { dataset, lon: number("lon"), lat: number("lat"), ..Evidence::default() };
    if positions_only {
        return place;
    }
    Evidence {
        categories: vec!["restaurant".to_owned()],
        names: text("name").map(str::to_owned).into_iter().collect(),
        phone: text("phone").map(|phone| digits(phone)[3..].to_owned()),
        host: text("website").map(host),
        address: text("street").map(|street| format!("{street} {}", text("housenumber").unwrap_or_default())),
        postcode: text("postcode").map(str::to_owned),
        ..place
    }
}

/// Writes which record is in which group, and the pairs that were looked at closely.
pub(crate) fn write(folder: &Path, keys: &Keys, found: &Resolution) {
    let mut group = vec![0u32; keys.ends.len()];
    for (number, members) in found.clusters.iter().enumerate() {
        for at in members {
            group[*at] = number as u32;
        }
    }
    let starts = |rows: usize| (0..rows).step_by(BATCH).map(move |start| (start, (start + BATCH).min(rows)));
    let bridge = |(start, end): (usize, usize)| {
        let (mut dataset, mut id, mut place) = (StringBuilder::new(), StringBuilder::new(), UInt32Builder::new());
        for (at, group) in group.iter().enumerate().take(end).skip(start) {
            dataset.append_value(keys.dataset(at));
            id.append_value(keys.id(at));
            place.append_value(*group);
        }
        let columns: [(&str, ArrayRef); 3] = [
            ("dataset", Arc::new(dataset.finish())),
            ("record_id", Arc::new(id.finish())),
            ("place", Arc::new(place.finish())),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    write_batches(&folder.join("bridge.parquet"), starts(keys.ends.len()).map(bridge));
    let links = |(start, end): (usize, usize)| {
        let [mut a, mut b, mut verdict, mut reason] = std::array::from_fn(|_| StringBuilder::new());
        let (mut score, mut distance) = (Float64Builder::new(), Float64Builder::new());
        for link in &found.links[start..end] {
            a.append_value(keys.id(link.pair.0));
            b.append_value(keys.id(link.pair.1));
            verdict.append_value(link.verdict.name());
            reason.append_value(link.reason.name());
            score.append_value(link.score.probability);
            distance.append_value(link.score.distance_m);
        }
        let columns: [(&str, ArrayRef); 6] = [
            ("record_id_a", Arc::new(a.finish())),
            ("record_id_b", Arc::new(b.finish())),
            ("verdict", Arc::new(verdict.finish())),
            ("reason", Arc::new(reason.finish())),
            ("score", Arc::new(score.finish())),
            ("distance_m", Arc::new(distance.finish())),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    };
    write_batches(&folder.join("links.parquet"), starts(found.links.len()).map(links));
}

fn write_batches(path: &Path, batches: impl Iterator<Item = RecordBatch>) {
    let mut to: Option<ArrowWriter<File>> = None;
    for batch in batches {
        to.get_or_insert_with(|| writer(path, &batch)).write(&batch).unwrap();
    }
    to.unwrap().close().unwrap();
}

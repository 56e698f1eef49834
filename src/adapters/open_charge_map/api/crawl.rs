//! A crawl: every station of a scope, page by page into the part of a file, so that it goes on where it was broken off.
//!
//! By ascending id, as Open Charge Map's own mirrors do it, until a page is empty twice; where a server ignores `greaterthanid`,
//! by a quadtree. The part holds one record per line, the sidecar how many of its bytes count and what comes next.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::{Client, Page};
use super::station::Station;
use super::tree::{Cell, Seen, Tree};
use crate::adapters::io::{FetchError, Part, address_told};
use crate::pipeline::ports::Observer;

/// A crawl that was broken off longer ago than this begins anew: its first pages are too old to be put beside new ones.
const STALE: SignedDuration = SignedDuration::from_hours(24);

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scope {
    /// The API, without what may be secret.
    pub(super) api: String,
    /// The only country.
    pub(super) country: Option<String>,
    /// The only boxes: west, south, east, north. Empty: no limit.
    pub(super) boxes: Vec<[f64; 4]>,
}

/// Where a crawl stands.
#[derive(Debug, Serialize, Deserialize)]
struct Standing {
    scope: Scope,
    since: Option<Timestamp>,
    /// The server's clock at the first answer.
    begun: Timestamp,
    /// Bytes of the part that count.
    size_bytes: u64,
    nameless: u64,
    #[serde(default)]
    repeated: u64,
    way: Way,
}

#[derive(Debug, Serialize, Deserialize)]
enum Way {
    /// Above this id, in the box of this number.
    ById {
        which: usize,
        after: i64,
        /// Whether the answer was empty once already.
        #[serde(default)]
        was_empty: bool,
    },
    /// Box by box.
    ByBox(Tree),
    Done {
        overfull: u64,
    },
}

impl Way {
    fn from_the_first(which: usize) -> Self {
        Self::ById { which, after: 0, was_empty: false }
    }
}

/// Where a record is in the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineAt {
    pub(super) offset_bytes: u64,
    pub(super) size_bytes: usize,
}

/// What a crawl found.
pub(super) struct Crawled {
    /// Records in the part, by id.
    pub(super) lines: BTreeMap<i64, LineAt>,
    /// The newest update that was surely seen with everything before it.
    pub(super) watermark: Option<Timestamp>,
    /// The server's clock at the first answer.
    pub(super) begun: Timestamp,
    /// Records without an id.
    pub(super) nameless: u64,
    /// Records that came under the id of the one before.
    pub(super) repeated: u64,
    /// Boxes that hold more than can be had.
    pub(super) overfull: u64,
    /// Records that were there from an earlier call.
    pub(super) resumed: usize,
}

impl Scope {
    /// What every query begins with. Every submission status is asked for: delisted duplicates are known pairs.
    fn query(&self, page_size: u64, since: Option<Timestamp>) -> String {
        let country = self.country.as_ref().map_or(String::new(), |country| format!("&countrycode={country}"));
        let since =
            since.map(|since| since.strftime("&modifiedsince=%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
        format!(
            "output=json&compact=true&verbose=false&submissionstatustypeid=0&maxresults={page_size}{country}{since}"
        )
    }

    fn box_query(&self, which: usize) -> String {
        self.boxes.get(which).map_or(String::new(), |own| in_box(&Cell::new(*own)))
    }
}

/// As the API wants it: two corners, latitude first.
fn in_box(cell: &Cell) -> String {
    let Cell { west, south, east, north, .. } = cell;
    format!("&boundingbox=({south},{west}),({north},{east})")
}

/// Crawls a scope, what was updated since then or everything, into the part.
pub(super) fn crawl(
    client: &mut Client<'_>,
    part: &mut Part,
    scope: &Scope,
    page_size: u64,
    since: Option<Timestamp>,
    observer: &dyn Observer,
) -> Result<Crawled, FetchError> {
    let query = scope.query(page_size, since);
    let is_ours = |standing: &Standing| {
        standing.scope == *scope
            && standing.since == since
            && standing.size_bytes <= part.size_bytes()
            && Timestamp::now().duration_since(standing.begun) < STALE
    };
    let mut crawled = Crawled {
        lines: BTreeMap::new(),
        watermark: None,
        begun: Timestamp::now(),
        nameless: 0,
        repeated: 0,
        overfull: 0,
        resumed: 0,
    };
    let mut newest = Vec::new();
    let mut standing = part.note::<Standing>().filter(is_ours);
    if let Some(standing) = &standing {
        part.cut(standing.size_bytes)?;
        scan(part, &mut crawled.lines, &mut newest)?;
        (crawled.resumed, crawled.begun) = (crawled.lines.len(), standing.begun);
        (crawled.nameless, crawled.repeated) = (standing.nameless, standing.repeated);
    } else {
        part.clear()?;
    }
    observer.advance(crawled.lines.len() as u64);

    loop {
        let way = standing.take().map_or(Way::from_the_first(0), |standing| standing.way);
        let way = match way {
            Way::ById { which, after, was_empty } => {
                let asked = format!("{query}&sortby=id_asc&greaterthanid={after}{}", scope.box_query(which));
                let page = client.page(&asked)?;
                note_date(&mut crawled, part, &page);
                let ids: Vec<i64> = page.stations.iter().map(|station| station.id).collect();
                let is_in_order = ids.first().is_none_or(|first| *first > after) && ids.is_sorted();
                let is_empty = ids.is_empty() && page.nameless == 0;
                crawled.repeated += ids.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
                let last = ids.last().copied();
                // A server in trouble may give nothing in the middle; where nothing came before, nothing is lost by it.
                let is_doubtful = !was_empty && (after > 0 || scope.boxes.len() > 1);
                keep(page, part, &mut crawled, &mut newest, observer)?;
                match last {
                    // Without ids there is no telling where the next page begins.
                    _ if !is_in_order || (last.is_none() && !is_empty) => {
                        tracing::info!(api = scope.api, "greaterthanid is of no use: asking box by box");
                        let world = [[-180.0, -90.0, 180.0, 90.0]];
                        let boxes = if scope.boxes.is_empty() { &world[..] } else { &scope.boxes };
                        Way::ByBox(Tree::new(boxes, page_size as usize))
                    }
                    Some(last) => Way::ById { which, after: last, was_empty: false },
                    None if is_doubtful => Way::ById { which, after, was_empty: true },
                    None if which + 1 < scope.boxes.len() => Way::from_the_first(which + 1),
                    None => Way::Done { overfull: 0 },
                }
            }
            Way::ByBox(mut tree) => match tree.next() {
                None => Way::Done { overfull: tree.overfull },
                Some(cell) => {
                    let page = client.page(&format!("{query}{}", in_box(&cell)))?;
                    let count = page.stations.len() + page.nameless as usize;
                    let has_outside =
                        page.stations.iter().filter_map(|station| station.position).any(|at| !cell.holds(at));
                    let known = crawled.lines.len();
                    keep(page, part, &mut crawled, &mut newest, observer)?;
                    let has_new = crawled.lines.len() > known;
                    tree.take(Seen { count, has_new, has_outside }).map_err(|_| FetchError::Unfit {
                        message: format!(
                            "{} ignores both greaterthanid and boundingbox, so more than {count} records cannot be had from \
                             it; raise `page_size`, name a `country`, or use a dump",
                            address_told(client.base)
                        ),
                    })?;
                    Way::ByBox(tree)
                }
            },
            Way::Done { overfull } => {
                crawled.overfull = overfull;
                break;
            }
        };
        let Crawled { begun, nameless, repeated, .. } = crawled;
        let size_bytes = part.size_bytes();
        let now = Standing { scope: scope.clone(), since, begun, size_bytes, nameless, repeated, way };
        part.set_note(&now)?;
        standing = Some(now);
    }
    // What was updated behind our back while we were reading is yet to be asked for; a date in the future says nothing.
    crawled.watermark = newest.into_iter().filter(|updated| *updated <= crawled.begun).max();
    Ok(crawled)
}

/// The server's clock counts from its first answer.
fn note_date(crawled: &mut Crawled, part: &Part, page: &Page) {
    if part.size_bytes() == 0
        && let Some(date) = page.date
    {
        crawled.begun = date;
    }
}

/// Adds the stations of a page that are not there, or that came anew.
fn keep(
    page: Page,
    part: &mut Part,
    crawled: &mut Crawled,
    newest: &mut Vec<Timestamp>,
    observer: &dyn Observer,
) -> Result<(), FetchError> {
    crawled.nameless += page.nameless;
    let mut lines = Vec::new();
    for Station { id, updated, line, .. } in page.stations {
        if crawled.lines.contains_key(&id) {
            continue;
        }
        let offset_bytes = part.size_bytes() + lines.len() as u64;
        crawled.lines.insert(id, LineAt { offset_bytes, size_bytes: line.len() });
        lines.extend_from_slice(&line);
        lines.push(b'\n');
        newest.extend(updated);
        observer.advance(1);
    }
    part.append(&lines)
}

/// Finds the records that an earlier call left.
fn scan(part: &Part, lines: &mut BTreeMap<i64, LineAt>, newest: &mut Vec<Timestamp>) -> Result<(), FetchError> {
    let unreadable = |source| FetchError::read(&part.path, source);
    let mut reader = BufReader::new(File::open(&part.path).map_err(unreadable)?);
    let (mut line, mut offset_bytes) = (String::new(), 0);
    while reader.read_line(&mut line).map_err(unreadable)? > 0 {
        if let Some(station) = Station::parse(&line) {
            lines.insert(station.id, LineAt { offset_bytes, size_bytes: line.trim_end().len() });
            newest.extend(station.updated);
        }
        offset_bytes += line.len() as u64;
        line.clear();
    }
    Ok(())
}

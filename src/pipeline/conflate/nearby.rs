//! Nearby: the pairs of records within the radius of their category, and those further apart whose names share rare words.
//!
//! - **Memory**: about 150 bytes per record beside the pairs.
//! - **Order**: pairs come along the Hilbert curve, so that what is compared one after the other is near each other in
//!   memory too.

use rayon::prelude::*;
use rstar::primitives::GeomWithData;
use rstar::{PointDistance, RTree};
use rustc_hash::FxHashMap;

use super::candidates::{Pair, radii};
use super::corpus::{Compact, Corpus, Name};
use crate::domain::{Metres, Taxonomy, hilbert_key};

/// Most neighbours of other sources that one record is compared with, the nearest first; as many namesakes, and as many of
/// its own source. A source that puts thousands of records on one spot, the middle of a town say, would else cost the
/// square of their number.
const MAX_NEIGHBOURS: usize = 256;

/// Together the shared words weigh at least this.
const NAMESAKE_WEIGHT: f32 = 0.5;
/// Words that more records bear than this many, or than this share of all, bring nobody together.
const NAMESAKE_BEARERS: (u32, f64) = (20, 0.05);

/// Records whose pairs are found by one thread, one after the other.
const BLOCK: usize = 512;

/// A record on the unit sphere, so that a radius is the same everywhere, the poles and the antimeridian included; by its
/// place on the Hilbert curve.
type Point = GeomWithData<[f64; 3], u32>;

/// A neighbour: the square of its distance through the unit sphere, and its index.
type Neighbour = (f64, u32);

/// The farthest that a record is compared with, by how it finds them; `None` where it
/// has no more than [`MAX_NEIGHBOURS`] of them.
type Farthest = [Option<Neighbour>; WAYS];

/// What the search looks at first.
#[derive(Debug, Clone, Copy)]
struct Sketch {
    record: u32,
    /// Squares of the radius and of that for namesakes, measured through the unit sphere.
    near: f64,
    far: f64,
    /// One bit per rare word of its names, and one for the letters of each: namesakes share a bit.
    words: u128,
}

/// How a record finds another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// It is near, and of another source.
    Distance,
    /// It is of another source and bears the same rare words, near or far.
    Name,
    /// It is near, and of the same source.
    Source,
}

/// How many ways there are.
const WAYS: usize = 3;

/// The pairs near each other.
pub(super) struct Nearby<'c> {
    corpus: &'c Corpus,
    taxonomy: &'c Taxonomy,
    /// Words that more records bear than this bring nobody together.
    common: u32,
    tree: RTree<Point>,
    /// Along the Hilbert curve.
    sketches: Vec<Sketch>,
}

impl<'c> Nearby<'c> {
    /// Of the wanted records.
    pub(super) fn of(corpus: &'c Corpus, taxonomy: &'c Taxonomy, wanted: impl Fn(usize) -> bool + Sync) -> Self {
        let records = &corpus.records;
        let common = NAMESAKE_BEARERS.0.max((records.len() as f64 * NAMESAKE_BEARERS.1) as u32);
        let curve = |(at, record): (usize, &Compact)| (hilbert_key(record.position), at as u32);
        let mut order: Vec<(u64, u32)> =
            records.par_iter().enumerate().filter(|(at, _)| wanted(*at)).map(curve).collect();
        order.par_sort_unstable();
        let sketches: Vec<Sketch> = order.par_iter().map(|(_, at)| sketch(*at, common, corpus, taxonomy)).collect();
        drop(order);
        let point = |(rank, sketch): (usize, &Sketch)| {
            Point::new(records[sketch.record as usize].position.on_unit_sphere(), rank as u32)
        };
        let tree = RTree::bulk_load(sketches.par_iter().enumerate().map(point).collect());
        Self { corpus, taxonomy, common, tree, sketches }
    }

    /// Hands every pair on once, and so many `others` as are no such pairs; threads work on several at a time.
    ///
    /// Returns what `work` keeps of them, along the curve, the others last; and how many there were.
    pub(super) fn filter_map<T: Send>(
        &self,
        mut others: Vec<Pair>,
        work: impl Fn(Pair) -> Option<T> + Sync,
    ) -> (Vec<T>, usize) {
        let block = |(at, block): (usize, &[Sketch])| {
            let (mut kept, mut seen, mut crowded) = (Vec::with_capacity(16 * block.len()), 0, Vec::new());
            let mut found: [Vec<Neighbour>; WAYS] = Default::default();
            for rank in at * BLOCK..at * BLOCK + block.len() {
                let farthest = self.search(rank, &mut found);
                if farthest != [None; WAYS] {
                    crowded.push((self.sketches[rank].record, farthest));
                }
                let owned = found.iter().flatten().filter(|other| self.is_owner(rank, **other));
                kept.extend(owned.inspect(|_| seen += 1).filter_map(|(_, other)| work(self.pair(rank, *other))));
            }
            (kept, seen, crowded)
        };
        let blocks: Vec<_> = self.sketches.par_chunks(BLOCK).enumerate().map(block).collect();
        let mut all = Vec::with_capacity(blocks.iter().map(|(kept, ..)| kept.len()).sum());
        let mut crowded: FxHashMap<u32, Farthest> = FxHashMap::default();
        let mut seen = 0;
        for (kept, more, crowd) in blocks {
            all.extend(kept);
            seen += more;
            crowded.extend(crowd);
        }
        others.retain(|pair| !self.is_compared(*pair, &crowded));
        others.extend(self.lost_in_crowds(&crowded));
        others.par_sort_unstable();
        others.dedup();
        seen += others.len();
        all.par_extend(others.into_par_iter().filter_map(&work));
        (all, seen)
    }

    /// Finds whom the record at `rank` is compared with, by rank. Returns the farthest of them where it has more.
    fn search(&self, rank: usize, found: &mut [Vec<Neighbour>; WAYS]) -> Farthest {
        found.iter_mut().for_each(Vec::clear);
        let sketch = &self.sketches[rank];
        let centre = self.corpus.records[sketch.record as usize].position.on_unit_sphere();
        for other in self.tree.locate_within_distance(centre, sketch.far) {
            let (chord_2, other) = (other.geom().distance_2(&centre), other.data);
            if other as usize == rank {
                continue;
            }
            if let Some(by) = self.finds(sketch, &self.sketches[other as usize], chord_2) {
                found[by as usize].push((chord_2, other));
            }
        }
        found.each_mut().map(|found| self.nearest(found))
    }

    /// Leaves the nearest neighbours, and returns the farthest of those by its record, if there were more.
    fn nearest(&self, found: &mut Vec<Neighbour>) -> Option<Neighbour> {
        if found.len() <= MAX_NEIGHBOURS {
            return None;
        }
        let by_record = |(chord_2, rank): Neighbour| (chord_2, self.sketches[rank as usize].record);
        let order = |a: &Neighbour, b: &Neighbour| nearer_first(by_record(*a), by_record(*b));
        found.select_nth_unstable_by(MAX_NEIGHBOURS - 1, order);
        found.truncate(MAX_NEIGHBOURS);
        found.last().map(|farthest| by_record(*farthest))
    }

    /// How one record finds another so far away, if it has not too many.
    fn finds(&self, a: &Sketch, b: &Sketch, chord_2: f64) -> Option<By> {
        let records = &self.corpus.records;
        let (x, y) = (a.record.min(b.record), a.record.max(b.record));
        let (x, y) = (&records[x as usize], &records[y as usize]);
        let is_near = chord_2 <= a.near;
        if x.dataset == y.dataset {
            return (is_near && self.corpus.related(x, y)).then_some(By::Source);
        }
        let are_namesakes = || a.words & b.words != 0 && are_namesakes(x, y, self.common, self.corpus);
        if chord_2 > a.far || !self.corpus.related(x, y) {
            None
        } else if are_namesakes() {
            Some(By::Name)
        } else {
            is_near.then_some(By::Distance)
        }
    }

    /// Whether a pair that the record at `rank` found is its to hand on: it has the smaller index, or the other does not
    /// find it.
    fn is_owner(&self, rank: usize, (chord_2, other): Neighbour) -> bool {
        let (mine, theirs) = (&self.sketches[rank], &self.sketches[other as usize]);
        mine.record < theirs.record || self.finds(theirs, mine, chord_2).is_none()
    }

    fn pair(&self, a: usize, b: u32) -> Pair {
        let (a, b) = (self.sketches[a].record as usize, self.sketches[b as usize].record as usize);
        (a.min(b), a.max(b))
    }

    /// Pairs whose owner has too many neighbours to hand them on, but which the other record finds.
    fn lost_in_crowds(&self, crowded: &FxHashMap<u32, Farthest>) -> Vec<Pair> {
        let lost = |rank: usize| {
            let mine = &self.sketches[rank];
            let is_crowded = crowded.contains_key(&mine.record);
            let centre = self.corpus.records[mine.record as usize].position.on_unit_sphere();
            let around = is_crowded.then(|| self.tree.locate_within_distance(centre, mine.far));
            let owned = around.into_iter().flatten().filter(move |other| {
                let (chord_2, theirs) = (other.geom().distance_2(&centre), &self.sketches[other.data as usize]);
                mine.record < theirs.record
                    && self.finds(mine, theirs, chord_2).is_some()
                    && !self.reaches(mine, theirs, chord_2, crowded)
                    && self.reaches(theirs, mine, chord_2, crowded)
            });
            owned.map(move |other| self.pair(rank, other.data))
        };
        if crowded.is_empty() {
            Vec::new()
        } else {
            (0..self.sketches.len()).into_par_iter().flat_map_iter(lost).collect()
        }
    }

    /// Whether one record is compared with another so far away, crowds considered.
    fn reaches(&self, a: &Sketch, b: &Sketch, chord_2: f64, crowded: &FxHashMap<u32, Farthest>) -> bool {
        self.finds(a, b, chord_2).is_some_and(|by| {
            let farthest = crowded.get(&a.record).and_then(|farthest| farthest[by as usize]);
            farthest.is_none_or(|farthest| nearer_first((chord_2, b.record), farthest).is_le())
        })
    }

    /// Whether one of two records finds the other.
    fn is_compared(&self, (a, b): Pair, crowded: &FxHashMap<u32, Farthest>) -> bool {
        let [x, y] = [a, b].map(|at| sketch(at as u32, self.common, self.corpus, self.taxonomy));
        let [p, q] = [a, b].map(|at| self.corpus.records[at].position.on_unit_sphere());
        let chord_2 = p.distance_2(&q);
        self.reaches(&x, &y, chord_2, crowded) || self.reaches(&y, &x, chord_2, crowded)
    }
}

fn nearer_first(a: Neighbour, b: Neighbour) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}

fn sketch(at: u32, common: u32, corpus: &Corpus, taxonomy: &Taxonomy) -> Sketch {
    let record = &corpus.records[at as usize];
    let (radius_m, namesake_radius_m) = radii(record, corpus, taxonomy);
    let chord_2 = |radius_m: f64| Metres(radius_m + record.reach().0).chord().powi(2);
    let bit = |number: u64| 1_u128 << (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 57);
    let mut words = 0;
    for name in corpus.names(record) {
        let rare = corpus.words(name.forms).iter().filter(|word| corpus.name_bearers(**word) <= common);
        words = rare.fold(words, |words, word| words | bit(word.at() as u64));
        words |= bit(
            letters(name, corpus).fold(0, |sum, letter| u64::wrapping_mul(sum, 31).wrapping_add(u64::from(letter)))
        );
    }
    Sketch { record: at, near: chord_2(radius_m), far: chord_2(namesake_radius_m), words }
}

/// The letters of a name, spaces ignored.
fn letters(name: &Name, corpus: &Corpus) -> impl Iterator<Item = u8> {
    corpus.words(name.written).iter().flat_map(|word| corpus.text(*word).bytes())
}

/// Whether the names of two records share words rare enough to bring them together, or are written the same.
fn are_namesakes(a: &Compact, b: &Compact, common: u32, corpus: &Corpus) -> bool {
    corpus.names(a).iter().any(|x| {
        corpus.names(b).iter().any(|y| {
            let (forms_x, forms_y) = (corpus.words(x.forms), corpus.words(y.forms));
            let is_first = |at: usize| !forms_x[..at].contains(&forms_x[at]);
            let shared = (0..forms_x.len()).filter(|at| forms_y.contains(&forms_x[*at]) && is_first(*at));
            let rare = shared.filter(|at| corpus.name_bearers(forms_x[*at]) <= common);
            let weight: f32 = rare.map(|at| corpus.name_rarity(forms_x[at])).sum();
            weight >= NAMESAKE_WEIGHT || letters(x, corpus).eq(letters(y, corpus))
        })
    })
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::super::candidates;
    use super::super::evidence::Evidence;
    use super::*;

    #[test]
    fn namesakes_on_a_crowded_spot_are_compared_and_a_source_crowds_out_itself_only() {
        // Two sources put 400 cafés each on one point; the nearest 256 of many equally near would be anyone.
        let cafe = |at: usize| Evidence {
            dataset: at / 400,
            lon: 9.5,
            lat: 47.1,
            names: vec![format!("cafe {}", at % 400)],
            ..Evidence::default()
        };
        // One more of the second source stands a little aside.
        let aside = Evidence { dataset: 1, lon: 9.5001, lat: 47.1, ..Evidence::default() };
        let corpus = Corpus::of((0..800).map(cafe).chain([aside]));
        let taxonomy = Taxonomy::parse("category = []", &[]).expect("no category is a taxonomy");
        let pairs = candidates::of(&corpus, &taxonomy);
        assert!((0..400).all(|at| pairs.binary_search(&(at, at + 400)).is_ok()), "each and its namesake");
        assert!(pairs.iter().any(|(a, b)| *a < 400 && *b == 800), "one aside, of which its own source has 400 nearer");
        assert!(pairs.len() < 800 * 3 * MAX_NEIGHBOURS, "{} pairs", pairs.len());
    }
}

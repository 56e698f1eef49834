//! Charging: what tells two charging stations from one.
//!
//! A station's name is its operator's, its street's, or that of whatever it stands beside, with a number where there are
//! several. So names are compared by what is left when operators and words for charging are taken out, and by their
//! numbers; and streets are looked for in names.

use std::collections::BTreeSet;

use super::names::shared_letters;
use super::{Feature, Features, operators};
use crate::domain::ConnectorType;
use crate::pipeline::conflate::corpus::{Compact, Corpus, Name};
use crate::pipeline::conflate::tokens::Token;
use crate::pipeline::conflate::words::WORDS;

/// Words that say only what kind of thing it is, and words for where that is so often that they tell nothing.
const COMMON: [&str; 52] = [
    "a",
    "am",
    "an",
    "and",
    "at",
    "bei",
    "beim",
    "borne",
    "car",
    "charge",
    "charger",
    "chargers",
    "charging",
    "colonnina",
    "de",
    "del",
    "der",
    "des",
    "die",
    "du",
    "e",
    "electric",
    "elektro",
    "en",
    "ev",
    "evse",
    "garage",
    "im",
    "in",
    "la",
    "ladepunkt",
    "ladesaule",
    "ladestation",
    "laadpaal",
    "le",
    "of",
    "on",
    "p",
    "park",
    "parken",
    "parking",
    "parkplatz",
    "point",
    "recharge",
    "site",
    "station",
    "stations",
    "supercharger",
    "the",
    "und",
    "vehicle",
    "zum",
];

/// A number of this many digits is a house's where a street follows within so many words: `6100 Old Mill Rd 4` is post 4.
const HOUSE_DIGITS: usize = 3;
const STREET_WORDS: usize = 3;

/// Fewest digits of a device's number: fewer are a place in a row.
const DEVICE_DIGITS: usize = 4;

/// Sets what is seen of two charging stations.
pub(super) fn see(seen: &mut Features, a: &Compact, b: &Compact, corpus: &Corpus) {
    seen.set_if_known(Feature::Role, role(a, b, corpus));
    let companies = [companies(a, corpus), companies(b, corpus)];
    seen.set_if_known(Feature::OperatorNamed, operator_named(a, b, &companies, corpus));
    let sites = [sites(a, &companies, corpus), sites(b, &companies, corpus)];
    names(seen, &sites);
    let streets = [a, b].map(|record| street_words(record, corpus));
    seen.set_if_known(Feature::NamedAfterStreet, named_after_street(&sites, &streets));
    seen.set_if_known(Feature::Devices, devices(a, b, corpus));
    seen.set_if_known(Feature::Plugs, plugs(a.connectors, b.connectors));
}

/// The share of classes in common. `None` where one lists none, or one calls a plug Tesla's that may be a CCS.
fn plugs(a: u32, b: u32) -> Option<f32> {
    let fewer = a.count_ones().min(b.count_ones());
    let shared = (a & b).count_ones();
    let bit = |kind: ConnectorType| ConnectorType::ALL.iter().position(|other| *other == kind).map_or(0, |at| 1 << at);
    let (tesla, ccs) = (bit(ConnectorType::Nacs), bit(ConnectorType::Ccs1) | bit(ConnectorType::Ccs2));
    let may_be_tesla = (a & tesla != 0 && b & ccs != 0) || (b & tesla != 0 && a & ccs != 0);
    (fewer > 0 && !(shared == 0 && may_be_tesla)).then(|| shared as f32 / fewer as f32)
}

/// The best likeness of an operator and the other's network or brand.
fn role(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let operator = |record: &Compact| record.operator_name.or(record.operator);
    let crossed = |a: &Compact, b: &Compact| {
        let operator = corpus.text(operator(a)?);
        let others = [b.network, b.brand].into_iter().flatten();
        others.filter_map(|other| operators::company(operator, corpus.text(other))).max_by(f32::total_cmp)
    };
    crossed(a, b).into_iter().chain(crossed(b, a)).max_by(f32::total_cmp)
}

/// The words that tell the companies of a record from others.
fn companies<'c>(record: &Compact, corpus: &'c Corpus) -> Vec<Vec<&'c str>> {
    let operator =
        record.operator_name.or(record.operator).map(|key| corpus.text(key)).filter(|key| !key.contains(':'));
    let others = [record.network, record.brand].into_iter().flatten().map(|key| corpus.text(key));
    let all = operator.into_iter().chain(others).map(operators::telling);
    all.filter(|words| words.iter().any(|word| word.len() > 2)).collect()
}

/// Whether the name of one tells a company of the other, which it does not state itself. `None` where there is nothing to tell.
fn operator_named(a: &Compact, b: &Compact, companies: &[Vec<Vec<&str>>; 2], corpus: &Corpus) -> Option<f32> {
    let told = |record: &Compact, own: &[Vec<&str>], others: &[Vec<&str>]| -> bool {
        own.is_empty()
            && corpus.names(record).iter().any(|name| {
                let words: Vec<&str> = corpus.words(name.written).iter().map(|word| corpus.text(*word)).collect();
                others.iter().any(|company| operators::contains(&words, company))
            })
    };
    let [of_a, of_b] = companies;
    (told(a, of_a, of_b) || told(b, of_b, of_a)).then_some(1.0)
}

/// A name without operators and words for charging: its words, and its numbers apart.
#[derive(Debug, PartialEq)]
struct Site<'c> {
    words: Vec<&'c str>,
    numbers: Vec<&'c str>,
}

fn sites<'c>(record: &Compact, companies: &[Vec<Vec<&str>>; 2], corpus: &'c Corpus) -> Vec<Site<'c>> {
    let is_company = |word: &&str| companies.iter().flatten().flatten().any(|company| company == word);
    let site = |name: &Name| {
        let words = corpus.words(name.written).iter().map(|word| WORDS.street_form(corpus.text(*word)));
        let telling = words.filter(|word| !COMMON.contains(word) && !is_company(word));
        let (numbers, words) = telling.partition(|word| word.bytes().any(|byte| byte.is_ascii_digit()));
        Site { words, numbers }
    };
    corpus.names(record).iter().map(site).filter(|site| !site.words.is_empty() || !site.numbers.is_empty()).collect()
}

/// Sets what is seen of the names: the pair of names that is most alike.
fn names(seen: &mut Features, [a, b]: &[Vec<Site<'_>>; 2]) {
    let mut best: Option<(f32, f32)> = None;
    let mut equal: Option<f32> = None;
    for (x, y) in a.iter().flat_map(|x| b.iter().map(move |y| (x, y))) {
        let letters = |words: &[&str]| words.iter().map(|word| word.chars().count()).sum::<usize>() as f32;
        let (letters_x, letters_y) = (letters(&x.words), letters(&y.words));
        if x == y && x.words.len() > 1 {
            equal = Some(equal.map_or(letters_x, |most| most.max(letters_x)));
        }
        if letters_x.min(letters_y) > 0.0 {
            let alike = shared_letters(&x.words, &y.words) as f32;
            // Dice counts the shared letters of both; of the shorter name alone they are half of that.
            let within = (alike * (letters_x + letters_y) / 2.0 / letters_x.min(letters_y)).min(1.0);
            best = Some(best.filter(|best| *best >= (alike, within)).unwrap_or((alike, within)));
        }
    }
    seen.set_if_known(Feature::SiteLetters, equal);
    seen.set_if_known(Feature::SiteName, best.map(|best| best.0));
    seen.set_if_known(Feature::SiteWithin, best.map(|best| best.1));
    let numbers = |sites: &[Site<'_>]| sites.iter().flat_map(|site| site.numbers.clone()).map(str::to_owned).collect();
    let (numbers_a, numbers_b): (Vec<String>, Vec<String>) = (numbers(a), numbers(b));
    let both_named = !a.is_empty() && !b.is_empty();
    if both_named && (!numbers_a.is_empty() || !numbers_b.is_empty()) {
        let shared = numbers_a.iter().any(|number| numbers_b.contains(number));
        let one_has_none = numbers_a.is_empty() || numbers_b.is_empty();
        seen.set(
            Feature::SiteNumbers,
            if shared {
                1.0
            } else if one_has_none {
                0.5
            } else {
                0.0
            },
        );
    }
}

/// Whether two stations are called alike but for the number of a post: `Skyline #1` and `Skyline Station 4`.
///
/// A number before all words, after a street or in the record's own address is a house's: that is another site. Where names
/// have one word alone, posts stand side by side; and there one name of several may say more: `Old Mill EV-8` and `Old
/// Mill Bus Terminal #4`.
pub(in crate::pipeline::conflate) fn numbered_in_a_row(
    a: &Compact,
    b: &Compact,
    side_by_side: bool,
    corpus: &Corpus,
) -> bool {
    let rows = |record: &Compact| -> Vec<Row<'_>> {
        corpus.names(record).iter().filter_map(|name| row(name, record, corpus)).collect()
    };
    let (rows_a, rows_b) = (rows(a), rows(b));
    let says_more = |x: &Row<'_>, y: &Row<'_>| y.words.len() > 1 && x.words.is_superset(&y.words);
    let alike = |x: &Row<'_>, y: &Row<'_>| {
        let side_by_side = || side_by_side && (x.words == y.words || says_more(x, y) || says_more(y, x));
        (x.words == y.words && x.words.len() > 1) || side_by_side()
    };
    rows_a.iter().any(|x| rows_b.iter().any(|y| alike(x, y) && x.posts != y.posts))
}

/// The words of a numbered post's name that tell the site, each once; and its numbers.
struct Row<'c> {
    words: BTreeSet<&'c str>,
    posts: Vec<&'c str>,
}

fn row<'c>(name: &Name, record: &Compact, corpus: &'c Corpus) -> Option<Row<'c>> {
    let all: Vec<&str> = corpus.words(name.written).iter().map(|word| corpus.text(*word)).collect();
    let is_number = |word: &str| word.bytes().any(|byte| byte.is_ascii_digit());
    let is_house = |word: &str| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let number: Option<u32> = digits.parse().ok();
        number.is_some_and(|number| corpus.numbers(record).iter().any(|(from, to)| (*from..=*to).contains(&number)))
    };
    let (mut words, mut posts, mut before, mut has_house) = (BTreeSet::new(), Vec::new(), None, false);
    for (at, word) in all.iter().copied().enumerate() {
        if !is_number(word) {
            let form = WORDS.street_form(word);
            words.extend((!COMMON.contains(&form)).then_some(form));
        } else if word.len() >= HOUSE_DIGITS && all[at..].iter().skip(1).take(STREET_WORDS).any(|word| is_street(word))
        {
            has_house = true;
            words.insert(word);
        } else if before.is_none_or(|before| ends_in_house(before, word) && !has_house) || is_house(word) {
            words.insert(word);
        } else {
            posts.push(word);
        }
        before = Some(word);
    }
    let is_called = words.iter().any(|word| !is_number(word));
    (is_called && !posts.is_empty()).then_some(Row { words, posts })
}

/// Whether a word ends the name of a street, so that a house number may follow.
fn is_street(word: &str) -> bool {
    STREETS.contains(&WORDS.street_form(word)) || STREET_ENDS.iter().any(|end| word.ends_with(end))
}

/// Whether a number after a word is that of a house: not `1` in `Mill Road 1`, as houses come first in English.
fn ends_in_house(word: &str, number: &str) -> bool {
    is_street(word) && !(number.len() < HOUSE_DIGITS && AFTER_HOUSES.contains(&word))
}

/// Words for streets, as written, that houses stand before.
const AFTER_HOUSES: [&str; 12] =
    ["ave", "avenue", "blvd", "boulevard", "dr", "drive", "lane", "ln", "rd", "road", "st", "street"];

/// Words for streets, in the form that streets are compared in. Squares and centres number other things too.
const STREETS: [&str; 14] =
    ["ave", "blvd", "calle", "cir", "cres", "dr", "hwy", "ln", "pike", "pkwy", "rd", "rue", "st", "way"];

/// Ends of streets' names that are written in one word.
const STREET_ENDS: [&str; 7] = ["str", "strasse", "gasse", "allee", "straat", "gatan", "veien"];

/// The words of a record's street that tell it from others; all of them where none does.
fn street_words<'c>(record: &Compact, corpus: &'c Corpus) -> Option<Vec<&'c str>> {
    let words: Vec<&str> = corpus.words(record.street).iter().map(|word| corpus.text(*word)).collect();
    let telling: Vec<&str> = words.iter().copied().filter(|word| WORDS.street_share(word) == 0.0).collect();
    let words = if telling.is_empty() { words } else { telling };
    (!words.is_empty()).then_some(words)
}

/// The share of the words of a street that the other's name has.
fn named_after_street([a, b]: &[Vec<Site<'_>>; 2], [street_a, street_b]: &[Option<Vec<&str>>; 2]) -> Option<f32> {
    let share = |sites: &[Site<'_>], street: &Option<Vec<&str>>| {
        let street = street.as_ref()?;
        let all = |site: &Site<'_>| -> Vec<String> {
            site.words.iter().chain(&site.numbers).map(|word| (*word).to_owned()).collect()
        };
        let found = |site: &Site<'_>| {
            let words = all(site);
            let found = street.iter().filter(|word| words.iter().any(|other| other == *word)).count();
            found as f32 / street.len() as f32
        };
        sites.iter().map(found).max_by(f32::total_cmp)
    };
    share(a, street_b).into_iter().chain(share(b, street_a)).max_by(f32::total_cmp)
}

/// Whether they share the number of a device, with whatever letters before it: `CYC10016` is `10016`.
fn devices(a: &Compact, b: &Compact, corpus: &Corpus) -> Option<f32> {
    let numbers = |token: Token| -> Vec<&str> {
        let runs = corpus.text(token).split(|c: char| !c.is_ascii_digit());
        runs.map(|run| run.trim_start_matches('0')).filter(|run| run.len() >= DEVICE_DIGITS).collect()
    };
    let (a, b) = (numbers(a.reference?), numbers(b.reference?));
    if a.is_empty() || b.is_empty() {
        return None;
    }
    Some(f32::from(u8::from(a.iter().any(|number| b.contains(number)))))
}

//! Columns: what of a record a column tells, by its name, and of which of two records.

/// What a column tells of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Attribute {
    Id,
    Name,
    Latitude,
    Longitude,
    Address,
    Street,
    HouseNumber,
    Locality,
    Postcode,
    Category,
    Operator,
    Brand,
    Phone,
    Website,
    Reference,
    ExternalIds,
    Connectors,
    MaxPowerKw,
    Capacity,
}

/// The names of each, in small letters; the first is ours.
const NAMES: [(Attribute, &[&str]); 19] = [
    (Attribute::Id, &["id", "index", "idx", "record_id", "key"]),
    (Attribute::Name, &["name", "title", "names"]),
    (Attribute::Latitude, &["latitude", "lat", "y"]),
    (Attribute::Longitude, &["longitude", "lon", "lng", "long", "x"]),
    (Attribute::Address, &["address", "freeform", "full_address"]),
    (Attribute::Street, &["street"]),
    (Attribute::HouseNumber, &["housenumber", "house_number"]),
    (Attribute::Locality, &["locality", "city", "town"]),
    (Attribute::Postcode, &["postcode", "postalcode", "postal_code", "zip", "zipcode"]),
    (Attribute::Category, &["category", "categories"]),
    (Attribute::Operator, &["operator"]),
    (Attribute::Brand, &["brand"]),
    (Attribute::Phone, &["phone", "telephone", "tel"]),
    (Attribute::Website, &["website", "host", "url"]),
    (Attribute::Reference, &["ref"]),
    (Attribute::ExternalIds, &["ids", "external_ids"]),
    (Attribute::Connectors, &["connectors"]),
    (Attribute::MaxPowerKw, &["max_power_kw", "power_kw"]),
    (Attribute::Capacity, &["capacity"]),
];

/// Names of the column of labels.
const LABELS: [&str; 6] = ["label", "is_match", "match", "decision", "truth", "gold"];

/// The attribute of a column of this name; dashes, dots, blanks and capitals make no difference.
pub(super) fn attribute(name: &str) -> Option<Attribute> {
    let name = plain(name);
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(attribute, _)| *attribute)
}

/// The names that a column of this attribute may have, for a message.
pub(super) fn names_of(attribute: Attribute) -> String {
    let (_, names) = NAMES.iter().find(|(own, _)| *own == attribute).expect("every attribute has names");
    names.join(", ")
}

/// Whether a column holds labels.
pub(super) fn is_label(name: &str) -> bool {
    LABELS.contains(&plain(name).as_str())
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace(['-', ' ', '.'], "_")
}

/// What the columns of a file of pairs tell.
#[derive(Debug, PartialEq)]
pub(super) struct Sides {
    /// The names of the two, e.g. `osm` and `fsq`.
    pub(super) names: [String; 2],
    /// Attribute and column of each.
    pub(super) columns: [Vec<(Attribute, usize)>; 2],
    /// The column of labels.
    pub(super) label: Option<usize>,
    /// Columns that tell neither.
    pub(super) unknown: Vec<usize>,
}

/// Reads the header of a file of pairs; `None` where it does not name two records.
///
/// The two records are the two prefixes or suffixes that most columns have, in the order in which they appear.
pub(super) fn sides(header: &[&str]) -> Option<Sides> {
    let readings: Vec<Vec<(String, Attribute)>> = header.iter().map(|name| readings(name)).collect();
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for (side, _) in readings.iter().flatten() {
        match counts.iter_mut().find(|(name, _)| name == side) {
            Some((_, count)) => *count += 1,
            None => counts.push((side, 1)),
        }
    }
    let mut by_count: Vec<usize> = (0..counts.len()).collect();
    by_count.sort_by_key(|at| std::cmp::Reverse(counts[*at].1));
    let [first, second] = by_count.get(..2)?.try_into().ok()?;
    let names = [first.min(second), first.max(second)].map(|at: usize| counts[at].0.to_owned());

    let mut sides = Sides { names, columns: [Vec::new(), Vec::new()], label: None, unknown: Vec::new() };
    for (at, name) in header.iter().enumerate() {
        let mut told = false;
        for (side, attribute) in &readings[at] {
            let Some(of) = sides.names.iter().position(|name| name == side) else { continue };
            let columns = &mut sides.columns[of];
            if !told && !columns.iter().any(|(own, _)| own == attribute) {
                columns.push((*attribute, at));
                told = true;
            }
        }
        if !told && is_label(name) && sides.label.is_none() {
            sides.label = Some(at);
        } else if !told {
            sides.unknown.push(at);
        }
    }
    Some(sides)
}

/// Every way to read a name as a side and an attribute, `osm_name` and `name_osm`.
fn readings(name: &str) -> Vec<(String, Attribute)> {
    let name = plain(name);
    let cuts = name.match_indices('_').map(|(at, _)| (&name[..at], &name[at + 1..]));
    let both = cuts.flat_map(|(head, tail)| [(head, tail), (tail, head)]);
    let read = both.filter(|(side, _)| !side.is_empty());
    read.filter_map(|(side, rest)| attribute(rest).map(|attribute| (side.to_owned(), attribute))).collect()
}

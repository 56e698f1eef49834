//! Summary: many changes in a few lines.

use std::collections::BTreeMap;

use super::place_change::PlaceChange;
use crate::domain::ChangeClass;

/// Names that a line has before it says how many more there are.
const MOST_NAMES: usize = 8;

/// What changed places have in common.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    classes: BTreeMap<ChangeClass, u64>,
    causes: BTreeMap<String, u64>,
    fields: BTreeMap<String, u64>,
    categories: BTreeMap<String, u64>,
    sources: BTreeMap<String, u64>,
    /// How far places moved, in metres.
    moved_m: Vec<f64>,
}

impl Summary {
    /// Takes note of a change.
    pub fn add(&mut self, change: &PlaceChange<'_>) {
        let count = |counts: &mut BTreeMap<String, u64>, name: &str| *counts.entry(name.to_owned()).or_default() += 1;
        if let Some(class) = change.class() {
            *self.classes.entry(class).or_default() += 1;
        }
        count(&mut self.causes, change.text("cause"));
        count(&mut self.categories, change.text("category"));
        change.fields().into_iter().for_each(|field| count(&mut self.fields, field));
        change.datasets().into_iter().for_each(|dataset| count(&mut self.sources, dataset));
        self.moved_m.extend(change.moved_m());
    }

    /// A line of the classes; where there is a change, further lines of what it was about, the most frequent first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        if self.classes.is_empty() {
            return vec!["no place is different".to_owned()];
        }
        let classes: Vec<String> = self.classes.iter().map(|(class, count)| format!("{count} {class}")).collect();
        let mut lines = vec![classes.join(", ")];
        let groups = [
            ("cause", &self.causes),
            ("fields", &self.fields),
            ("categories", &self.categories),
            ("sources", &self.sources),
        ];
        let told = groups.into_iter().filter(|(_, counts)| !counts.is_empty());
        lines.extend(told.map(|(what, counts)| format!("{what:<12}{}", most(counts))));
        let mut moved_m = self.moved_m.clone();
        moved_m.sort_by(f64::total_cmp);
        if let (Some(middle), Some(last)) = (moved_m.get(moved_m.len() / 2), moved_m.last()) {
            lines.push(format!("{:<12}{}, half by less than {middle} m, at most {last} m", "moved", moved_m.len()));
        }
        lines
    }
}

/// `12 name, 5 website and 3 more`.
fn most(counts: &BTreeMap<String, u64>) -> String {
    let mut sorted: Vec<(&String, &u64)> = counts.iter().collect();
    sorted.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let named: Vec<String> = sorted.iter().take(MOST_NAMES).map(|(name, count)| format!("{count} {name}")).collect();
    match sorted.len().saturating_sub(MOST_NAMES) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_and_the_rest_is_counted() {
        let counts = |n: u64| (0..n).map(|at| (format!("f{at}"), 1 + at % 2)).collect::<BTreeMap<_, _>>();
        assert_eq!(most(&counts(3)), "2 f1, 1 f0, 1 f2");
        assert_eq!(most(&counts(10)), "2 f1, 2 f3, 2 f5, 2 f7, 2 f9, 1 f0, 1 f2, 1 f4 and 2 more");
    }
}

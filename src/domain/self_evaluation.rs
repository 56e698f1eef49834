//! Self-evaluation: how good a run's matcher is, by pairs of the run's own records that are known without it.

use serde::{Deserialize, Serialize};

/// A share that was counted, with the interval that it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// How many.
    pub hits: u64,
    /// Of how many.
    pub of: u64,
    /// `hits / of`, in `[0, 1]`, rounded to 0.0001.
    pub share: f64,
    /// Lower end of the 95 % interval (Wilson), rounded likewise.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// What was found with ids hidden. A share of nothing is missing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HiddenIds {
    /// The two sources; empty for all together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// Pairs known by ids that both records have, each with one partner only.
    pub known_pairs: u64,
    /// Pairs that share an id with further records of one source: not judged.
    pub ambiguous_pairs: u64,
    /// Of the known pairs, those found blind.
    pub recall: Option<Share>,
    /// Of the pairs matched blind in which a record has a known partner in the other's source, the known ones. A further
    /// record of that source that is matched with the known partner too is not counted, nor are pairs of two records
    /// without a known partner.
    pub precision: Option<Share>,
    /// Of the known pairs, those that were compared blind at all.
    pub completeness: Option<Share>,
}

/// How good a run's matcher is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SelfEvaluation {
    /// Known pairs that are needed to say anything.
    pub needed_pairs: u64,
    /// Whether there are as many.
    pub enough: bool,
    /// Of all sources together.
    pub hidden_ids: HiddenIds,
    /// Of each two sources that share ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_sources: Vec<HiddenIds>,
    /// Share of all pairs of records that were never compared, in `[0, 1]`, rounded to 10⁻⁹.
    pub reduction: Option<f64>,
}

impl SelfEvaluation {
    /// What the run found out, in a sentence.
    #[must_use]
    pub fn in_words(&self) -> String {
        let HiddenIds { known_pairs, ambiguous_pairs, recall, precision, .. } = &self.hidden_ids;
        let pairs = if *known_pairs == 1 { "pair is" } else { "pairs are" };
        let ambiguous = match ambiguous_pairs {
            0 => String::new(),
            count => format!(" ({count} more are ambiguous)"),
        };
        let known = format!("{known_pairs} {pairs} known by shared ids{ambiguous}");
        if *known_pairs == 0 {
            return format!("{known}: the matcher could not be tried on these data");
        }
        let found = recall.map_or(0, |recall| recall.hits);
        if !self.enough {
            return format!(
                "{known}, {found} found with ids hidden: too few to say more, {} are needed",
                self.needed_pairs
            );
        }
        let told = |share: Share| format!("{} of the matches of their records", share.in_words());
        let precision = precision.map_or("unknown".to_owned(), told);
        let recall = recall.map_or("unknown".to_owned(), |share| share.in_words());
        format!("{known}; with ids hidden: precision {precision}, recall {recall}")
    }

    /// The same in lines for a table: what, and how much.
    #[must_use]
    pub fn in_lines(&self) -> Vec<(String, String)> {
        let mut lines = vec![("in words".to_owned(), self.in_words())];
        for about in std::iter::once(&self.hidden_ids).chain(&self.by_sources) {
            let between =
                if about.sources.is_empty() { String::new() } else { format!(", {}", about.sources.join(" and ")) };
            lines.push((format!("known pairs{between}"), about.known_pairs.to_string()));
            let shares = [
                ("recall", about.recall),
                ("precision of the matches of their records", about.precision),
                ("pairs compared", about.completeness),
            ];
            for (what, share) in shares {
                let told = share.map(|share| format!("{}, {} of {}", share.in_words(), share.hits, share.of));
                lines.extend(told.map(|told| (format!("{what}{between}"), told)));
            }
        }
        let reduction = self.reduction.map(|share| format!("{share:.6}"));
        lines.extend(reduction.map(|share| ("pairs never compared".to_owned(), share)));
        lines
    }
}

impl Share {
    /// `0.95 (0.90 to 0.98)`; never rounded up to 1.
    #[must_use]
    pub fn in_words(&self) -> String {
        let two =
            |share: f64| format!("{:.2}", if share < 1.0 { (share * 100.0).round().min(99.0) / 100.0 } else { 1.0 });
        format!("{} ({} to {})", two(self.share), two(self.low), two(self.high))
    }
}

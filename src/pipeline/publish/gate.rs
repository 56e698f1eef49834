//! Gate: when a night is broken and must not be published.

use crate::pipeline::diff::layers::LayerDiff;

/// When a night is broken and must not be published. The `[gate]` table of a pipeline file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Largest share of the base's places that may be gone, removed or merged into others, and of the rows of each layer, in
    /// `[0, 1]`.
    pub max_removed_share: f64,
    /// Fewest places.
    pub min_rows: u64,
}

impl Default for Gate {
    /// A fifth of all places do not vanish overnight, and a region has at least one.
    fn default() -> Self {
        Self { max_removed_share: 0.2, min_rows: 1 }
    }
}

impl Gate {
    /// A gate that holds nothing back.
    #[must_use]
    pub fn off() -> Self {
        Self { max_removed_share: 1.0, min_rows: 0 }
    }

    /// Why a night with so many places, of which `gone` of `before` are gone, is broken; empty when it is not.
    pub(super) fn reasons(&self, places: u64, gone: u64, before: u64) -> Vec<String> {
        let mut reasons = Vec::new();
        if places < self.min_rows {
            reasons.push(format!("{places} places, fewer than gate.min_rows = {}", self.min_rows));
        }
        if before > 0 && gone as f64 > self.max_removed_share * before as f64 {
            reasons.push(format!(
                "{gone} of {before} places are gone, more than gate.max_removed_share = {}",
                self.max_removed_share
            ));
        }
        reasons
    }

    /// Why a layer is broken; `None` when it is not. One that the pipeline file names no more is gone on purpose.
    pub(super) fn layer_reason(&self, layer: &LayerDiff) -> Option<String> {
        let LayerDiff { name, before, dropped, .. } = layer;
        let gone = layer.gone();
        (!dropped && *before > 0 && gone as f64 > self.max_removed_share * *before as f64).then(|| {
            format!(
                "{gone} of {before} rows of layer `{name}` are gone, more than gate.max_removed_share = {}",
                self.max_removed_share
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_gate_looks_at_every_layer_that_the_pipeline_names() {
        let layer = |before, gone, dropped| LayerDiff {
            name: "roads".to_owned(),
            rows: before - gone,
            before,
            changes: BTreeMap::from([("added".to_owned(), 100), ("removed".to_owned(), gone)]),
            dropped,
        };
        let gate = Gate::default();
        let reason = "3 of 10 rows of layer `roads` are gone, more than gate.max_removed_share = 0.2";
        assert_eq!(gate.layer_reason(&layer(10, 3, false)), Some(reason.to_owned()));
        for fine in [layer(10, 2, false), layer(10, 10, true), layer(0, 0, false)] {
            assert_eq!(gate.layer_reason(&fine), None, "{fine:?}");
        }
    }

    #[test]
    fn the_gate_says_what_it_saw() {
        let gate = Gate::default();
        assert_eq!(gate.reasons(1, 0, 0), Vec::<String>::new());
        assert_eq!(gate.reasons(8, 2, 10), Vec::<String>::new());
        assert_eq!(gate.reasons(7, 3, 10), ["3 of 10 places are gone, more than gate.max_removed_share = 0.2"]);
        assert_eq!(gate.reasons(0, 0, 0), ["0 places, fewer than gate.min_rows = 1"]);
    }
}

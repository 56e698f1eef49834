//! `poimill eval`: how often the matcher is right on labelled pairs, and a model learned from them.

mod json;
mod table;
mod tables;
mod wrong;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::Ended;
use crate::pipeline::RunError;
use crate::pipeline::conflate::{Compared, Corpus, Evidence, Feature, FitSet, Fitted, Model, Models, Score, written};
use crate::pipeline::evaluate::{Grouped, Judged, Measures, Plotted, fit_on, hold_out, judge, precision_recall_svg};
use crate::wiring::{self, LabelSet};

/// Measure the matcher on labelled pairs, or learn a model from them
///
/// Labels are files of pairs: CSV with two columns per attribute, told apart by a prefix (`osm_name,fsq_name`) or a suffix
/// (`name_a,name_b`), and a column `label`; or the text of Geo-ER and Ditto (`COL name VAL …`). Each file is a set, and so are
/// the files of each folder; a line is printed for each set. Attributes are named as the columns of places, latitude and
/// longitude are needed; every feature counts as far as its attributes are there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
precision, recall and F1 are at the model's match_score; `1:1 F1` is the same where each record keeps its best partner
only; `best F1` is at the threshold that suits the set best, which no one knows beforehand. `review` is what the model's
scores send to a person; `at 0.98` is what a person would have to see so that of the pairs merged unseen 98 % are one
place, and of the pairs kept apart unseen 98 % are two. ECE is the expected calibration error in 15 bins of equal width. A
pair that a veto keeps apart scores 0.

Example: poimill eval labels.csv --errors wrong.csv --plot pr.svg
Example: poimill eval labels/ --fit places.toml && poimill eval other.csv --model places.toml
Example: poimill eval geo-er/ --hold-out           (geo-er/osm_fsq/edi, geo-er/osm_yelp/edi … : a group per city)
Example: poimill eval --tables osm.csv fsq.csv --truth pairs.csv")]
pub(super) struct Eval {
    /// Files or folders of labelled pairs; `GROUP=PATH` names the group of a path for --hold-out
    #[arg(required_unless_present_any = ["features", "tables"])]
    labels: Vec<PathBuf>,
    /// Measure this model instead of the shipped ones, of which charging stations have their own
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fit", "hold_out"])]
    model: Option<PathBuf>,
    /// Learn a model from all the labels and write it to this file; what is printed is then how well it fits them
    #[arg(long, value_name = "OUT.toml", conflicts_with = "hold_out")]
    fit: Option<PathBuf>,
    /// Learn the weights of the features and knots of this model file instead of the shipped one's
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Measure each group by a model learned from the others
    #[arg(long)]
    hold_out: bool,
    /// What a group is: `folder`, unless this is given, by the name of the folder that a set's files lie in; `parent`, of the
    /// folder above that; or `set`, each set by itself
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        default_value = "folder",
        hide_default_value = true,
        hide_possible_values = true
    )]
    group_by: GroupBy,
    /// Match two whole tables end to end instead: CSV files with a record a line
    #[arg(long, num_args = 2, value_names = ["A.csv", "B.csv"], requires = "truth",
          conflicts_with_all = ["labels", "fit", "hold_out", "plot"])]
    tables: Option<Vec<PathBuf>>,
    /// All pairs of the two tables that are one place, by their ids
    #[arg(long, value_name = "LABELS.csv", requires = "tables")]
    truth: Option<PathBuf>,
    /// Draw precision against recall into this file
    #[arg(long, value_name = "OUT.svg")]
    plot: Option<PathBuf>,
    /// Write the pairs that are judged wrongly to this file, with both records, score and evidence, the worst first
    #[arg(long, value_name = "OUT.csv")]
    errors: Option<PathBuf>,
    /// List every feature with its meaning, and do nothing else
    #[arg(long, conflicts_with_all = ["labels", "tables"])]
    features: bool,
    /// Print one JSON object, with intervals and reliability tables
    #[arg(long)]
    json: bool,
    /// Use so many threads, 1 to 512; the result is the same with any number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    threads: Option<u16>,
}

/// What makes a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GroupBy {
    Folder,
    Parent,
    Set,
}

/// A set as it is measured.
struct Measured<'a> {
    set: &'a LabelSet,
    group: String,
    model: &'a Model,
    scores: Vec<(Score, Judged)>,
    measures: Measures,
}

impl Eval {
    /// Measures, and prints what was found.
    pub(super) fn execute(&self, out: &mut impl Write) -> Ended {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global()?;
        }
        if self.features {
            return list_features(out);
        }
        for (option, path) in [("--fit", &self.fit), ("--errors", &self.errors), ("--plot", &self.plot)] {
            path.as_deref().map_or(Ok(()), |path| wiring::check_file(option, path))?;
        }
        if let (Some(tables), Some(truth)) = (&self.tables, &self.truth) {
            let models = self.models_given()?.unwrap_or_else(Models::shipped);
            return tables::execute(self, [&tables[0], &tables[1]], truth, &models, out);
        }
        let sets = wiring::label_sets(&self.labels)?;
        if self.fit.is_some() || self.hold_out {
            sets.iter().try_for_each(learnable)?;
        }
        let corpora: Vec<Corpus> =
            sets.iter().map(|set| Corpus::of(set.labelled.records.iter().map(Evidence::of))).collect();
        let groups: Vec<String> = sets.iter().map(|set| self.group_of(set)).collect();
        let taxonomy = wiring::shipped_taxonomy();
        let compared: Vec<Vec<(usize, usize)>> =
            sets.iter().zip(&corpora).map(|(set, corpus)| set.labelled.compared(corpus, &taxonomy)).collect();
        let pairs: Vec<Vec<((usize, usize), bool)>> = sets
            .iter()
            .map(|set| set.labelled.pairs.iter().map(|labelled| (labelled.pair, labelled.is_match)).collect())
            .collect();
        let grouped: Vec<Grouped<'_>> = (0..sets.len())
            .map(|at| Grouped {
                group: &groups[at],
                name: &sets[at].name,
                set: FitSet { corpus: &corpora[at], compared: &compared[at], pairs: &pairs[at] },
            })
            .collect();

        let charging = charging(&sets);
        // The model of each group, where one was fitted.
        let mut fitted: BTreeMap<String, Fitted> = BTreeMap::new();
        if self.hold_out {
            fitted = hold_out(&self.template(charging?)?, &grouped).map_err(RunError::settings)?;
        } else if self.fit.is_some() {
            let found =
                fit_on(&self.template(charging?)?, &grouped).map_err(|error| RunError::input(names(&sets), error))?;
            fitted = groups.iter().map(|group| (group.clone(), found.clone())).collect();
        }
        let given = self.models_given()?;
        let models: Vec<Models> = groups
            .iter()
            .map(|group| match (fitted.get(group), &given) {
                (Some(fitted), _) => Models::both(&fitted.model),
                (None, Some(given)) => given.clone(),
                (None, None) => Models::shipped(),
            })
            .collect();

        let mut measured = Vec::new();
        for (at, set) in sets.iter().enumerate() {
            let model = if is_charging(set) { &models[at].charging } else { &models[at].places };
            let compared = Compared::of(&corpora[at], &models[at], &compared[at]);
            let scores = judge(&set.labelled.pairs, &compared).map_err(RunError::settings)?;
            let judged: Vec<Judged> = scores.iter().map(|(_, judged)| *judged).collect();
            let measures = Measures::of(&set.labelled.indices(), &judged, model.match_score, model.review_score);
            measured.push(Measured { set, group: groups[at].clone(), model, scores, measures });
        }
        // What was found is printed also where it cannot be written.
        let written = self.write_files(&measured, fitted.values().next());
        tell_notes(&measured);
        if self.json {
            writeln!(out, "{}", json::of(&self.told(), &measured))?;
        } else {
            table::print(&self.told(), &measured, out)?;
        }
        written.map(|()| ExitCode::SUCCESS)
    }

    /// Which model is measured, in words.
    fn told(&self) -> String {
        match (&self.model, &self.fit) {
            (Some(path), _) => format!("the model {}", path.display()),
            (None, Some(path)) => format!("{}, on the pairs that it was fitted on", path.display()),
            (None, None) if self.hold_out => "each group by a model fitted on the others".to_owned(),
            (None, None) => "the shipped models".to_owned(),
        }
    }

    fn models_given(&self) -> Result<Option<Models>, RunError> {
        self.model.as_deref().map(wiring::model).transpose().map(|model| model.map(|model| Models::both(&model)))
    }

    fn template(&self, charging: bool) -> Result<Model, RunError> {
        let shipped = || if charging { Models::shipped().charging } else { Models::shipped().places };
        self.template.as_deref().map_or_else(|| Ok(shipped()), wiring::model)
    }

    fn group_of(&self, set: &LabelSet) -> String {
        let folder = set.files.first().and_then(|file| file.parent());
        let name = |folder: Option<&Path>| {
            let name = folder.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
            name.unwrap_or_else(|| ".".to_owned())
        };
        match (&set.group, self.group_by) {
            (Some(group), _) => group.clone(),
            (None, GroupBy::Set) => set.name.clone(),
            (None, GroupBy::Folder) => name(folder),
            (None, GroupBy::Parent) => name(folder.and_then(Path::parent)),
        }
    }

    fn write_files(&self, measured: &[Measured<'_>], fitted: Option<&Fitted>) -> anyhow::Result<()> {
        if let (Some(path), Some(fitted)) = (&self.fit, fitted) {
            wiring::write_file(path, &written(fitted))?;
        }
        if let Some(path) = &self.errors {
            wiring::write_file(path, &wrong::csv(measured)?)?;
        }
        if let Some(path) = &self.plot {
            let curves: Vec<Plotted<'_>> = measured
                .iter()
                .map(|set| Plotted { name: &set.set.name, curve: &set.measures.curve, at: set.measures.at_match_score })
                .collect();
            let title = format!("poimill eval: {}", self.told());
            wiring::write_file(path, &precision_recall_svg(&title, &curves))?;
        }
        Ok(())
    }
}

/// Says on stderr what was left out of each set.
fn tell_notes(measured: &[Measured<'_>]) {
    let mut err = std::io::stderr().lock();
    for (set, note) in measured.iter().flat_map(|set| set.set.notes.iter().map(move |note| (set, note))) {
        // Nobody is left to tell when stderr is closed.
        writeln!(err, "note: {}: {note}", set.set.name).ok();
    }
}

/// What to know of a set whose labels are all of one kind: half of the measures say nothing.
fn one_sided(set: &LabelSet) -> Option<String> {
    let matches = set.labelled.pairs.iter().filter(|labelled| labelled.is_match).count();
    let misses = set.labelled.pairs.len() - matches;
    let missing = match (matches, misses) {
        (_, 0) => "no pair is labelled a miss, so nothing can be merged wrongly: precision and F1 say nothing",
        (0, _) => "no pair is labelled a match, so nothing can be missed: recall and F1 say nothing",
        _ => return None,
    };
    let unread = match set.unread_labels {
        0 => String::new(),
        1 => "; 1 pair has a label that is neither".to_owned(),
        count => format!("; {count} pairs have a label that is neither"),
    };
    Some(format!("{missing}{unread}"))
}

/// Whether a model can be learned from the labels of a set, as far as they could be read.
///
/// All labels of a set may say the same, because others may say the other; but not where that is so because the rest could
/// not be read.
fn learnable(set: &LabelSet) -> Result<(), RunError> {
    match one_sided(set) {
        Some(told) if set.unread_labels > 0 => Err(RunError::input(
            &set.name,
            format!("{told}; a label is 1 or 0, true or false, yes or no, match or miss, always or never"),
        )),
        _ => Ok(()),
    }
}

/// The names of all sets, for a message.
fn names(sets: &[LabelSet]) -> String {
    sets.iter().map(|set| set.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Whether the pairs of a set are mostly of two charging stations.
fn is_charging(set: &LabelSet) -> bool {
    let is_charging = |at: usize| Evidence::of(&set.labelled.records[at]).is_charging();
    let charging =
        set.labelled.pairs.iter().filter(|pair| is_charging(pair.pair.0) && is_charging(pair.pair.1)).count();
    charging * 2 > set.labelled.pairs.len()
}

/// Whether all sets are of charging stations; one model is fitted at a time.
fn charging(sets: &[LabelSet]) -> Result<bool, RunError> {
    let (charging, places): (Vec<&LabelSet>, Vec<&LabelSet>) = sets.iter().partition(|set| is_charging(set));
    match (charging.first(), places.first()) {
        (Some(one), Some(other)) => Err(RunError::settings(format!(
            "{} is of charging stations and {} is not; each has a model of its own, so fit them one after the other",
            one.name, other.name
        ))),
        (charging, _) => Ok(charging.is_some()),
    }
}

fn list_features(out: &mut impl Write) -> Ended {
    let width = Feature::ALL.iter().map(|feature| feature.name().len()).max().unwrap_or(0);
    for feature in Feature::ALL {
        writeln!(out, "{:width$}  {}", feature.name(), feature.meaning())?;
    }
    Ok(ExitCode::SUCCESS)
}

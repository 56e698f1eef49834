//! Evaluate: how often the matcher is right, on pairs that somebody labelled.
//!
//! - **In**: pairs with a score in `[0, 1]` and a label; or records in clusters, found and true.
//! - **Out**: the measures of the field, each with its definition where it is computed. A measure that has no value, such
//!   as the precision of nothing, is `None`, never 0 or 1 by convention.

mod assignment;
mod calibration;
mod clusters;
mod hold_out;
mod interval;
mod labelled;
mod linked;
mod measures;
mod plot;

pub use assignment::one_to_one;
pub use calibration::{Bin, Calibration};
pub use clusters::{BCubed, components};
pub use hold_out::{Grouped, HoldOutError, fit_on, hold_out};
pub use interval::{Interval, wilson};
pub use labelled::{LabelledPair, LabelledSet, LeftOutPair, NoProbability, judge};
pub use linked::{Linked, link_tables};
pub use measures::{Counts, Curve, Judged, Measures, Operating, Review, mean, median};
pub use plot::{Plotted, precision_recall_svg};

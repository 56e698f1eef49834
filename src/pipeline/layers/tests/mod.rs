//! Layers: that what was pushed is what the columns say, and that the order is one whatever the budget.

mod columns;
mod features;
mod scratch;
mod sort;

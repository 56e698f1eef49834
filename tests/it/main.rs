//! Black-box and scenario tests, in one binary so that dependencies are linked once.

mod support;

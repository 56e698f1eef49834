//! What the documents list is what the code knows.

use std::path::Path;

use poimill::pipeline::tabulate::dictionary;

#[test]
fn the_data_dictionary_is_generated() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/DICTIONARY.md");
    let expected = dictionary();
    if std::env::var_os("POIMILL_BLESS").is_some() && std::env::var_os("CI").is_none() {
        std::fs::write(&path, &expected).expect("the dictionary can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == expected, "data/DICTIONARY.md is out of date; run POIMILL_BLESS=1 cargo test --test it docs");
}

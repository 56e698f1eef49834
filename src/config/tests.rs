//! What a pipeline file and flags come to.

use std::path::{Path, PathBuf};

use super::{ConfigError, Overrides, RegionSettings, Secret, Settings, SourceKind};
use crate::domain::BBox;
use crate::pipeline::Gate;
use crate::pipeline::conflate::Rules;

/// The least that a pipeline file can say.
const LEAST: &str = "name = \"a\"\n[[source]]\nname = \"osm\"\nkind = \"osm_pbf\"\npath = \"in.osm.pbf\"\n";

/// Loads a file of this text, in a folder of its own.
fn load(text: &str, overrides: &Overrides) -> (PathBuf, Result<Settings, ConfigError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    std::fs::write(&path, text).unwrap();
    (folder.path().to_owned(), Settings::load(&path, overrides))
}

#[test]
fn what_the_file_leaves_out_has_defaults() {
    let (home, settings) = load(LEAST, &Overrides::default());
    let settings = settings.unwrap();
    assert_eq!(settings.region, RegionSettings::World);
    assert_eq!((settings.rules, settings.gate), (Rules::default(), Gate::default()));
    assert_eq!((settings.store, settings.database.is_none()), (home.join("../data/snapshots"), true));
    assert!(settings.taxonomy.category("charging_station").is_some() && settings.taxonomy.category("cafe").is_none());
    assert_eq!(settings.notes, Vec::<String>::new());
}

#[test]
fn paths_are_relative_to_the_file_and_flags_beat_it() {
    let text = format!(
        "{LEAST}reference = \"ref.json\"\n[region]\nbbox = [9.4, 47.0, 9.6, 47.2]\nhalo_m = 0\n[store]\ndir = \"snap\"\n\
         [postgis]\nurl = \"postgresql://file/x\"\nmode = \"replace\"\n"
    )
    .replace("osm_pbf", "open_charge_map");
    let (home, settings) = load(&text, &Overrides::default());
    let settings = settings.unwrap();
    let source = &settings.sources[0];
    assert_eq!(source.path, home.join("in.osm.pbf"));
    assert_eq!(source.kind, SourceKind::OpenChargeMap { reference: Some(home.join("ref.json")) });
    let bbox = BBox { xmin: 9.4, ymin: 47.0, xmax: 9.6, ymax: 47.2 };
    assert_eq!((settings.region, settings.store), (RegionSettings::Box(bbox, 0.0), home.join("snap")));
    assert_eq!(settings.database, Some((Secret::new("postgresql://file/x"), false)));

    let overrides = Overrides {
        inputs: vec![("osm".to_owned(), PathBuf::from("one")), ("osm".to_owned(), PathBuf::from("two"))],
        store: Some(PathBuf::from("there")),
        database: Some(Secret::new("postgresql://flag/x")),
    };
    let settings = load(&text, &overrides).1.unwrap();
    assert_eq!((settings.sources[0].path.as_path(), settings.store.as_path()), (Path::new("two"), Path::new("there")));
    assert_eq!(settings.database, Some((Secret::new("postgresql://flag/x"), false)));
}

#[test]
fn a_variable_counts_only_where_the_file_names_it() {
    let database = |url: &str| {
        let settings = load(&format!("{LEAST}[postgis]\nurl = {url}\n"), &Overrides::default()).1.unwrap();
        (settings.database, settings.notes)
    };
    // Cargo sets this one for every test.
    let set = env!("CARGO_PKG_NAME");
    assert_eq!(database("{ env = \"CARGO_PKG_NAME\" }"), (Some((Secret::new(set), true)), vec![]));
    assert_eq!(database("\"CARGO_PKG_NAME\"").0, Some((Secret::new("CARGO_PKG_NAME"), true)));
    let note = "POIMILL_NO_SUCH is not set, so no database is loaded (postgis.url in the pipeline file)";
    assert_eq!(database("{ env = \"POIMILL_NO_SUCH\" }"), (None, vec![note.to_owned()]));
}

#[test]
fn what_is_told_of_settings_holds_no_secret_and_no_path() {
    let text = format!("{LEAST}[region]\nbbox = [0, 0, 1, 1]\n[postgis]\nurl = \"postgresql://u:secret@h/x\"\n");
    let (home, settings) = load(&text, &Overrides::default());
    let settings = settings.unwrap();
    let told = settings.told.to_string();
    assert!(!told.contains("secret") && !told.contains(&home.display().to_string()), "{told}");
    assert!(!format!("{settings:?}").contains("secret@"), "debugging shows no secret");
    let other = text.replace("[region]", "[conflate]\nmatch_score = 0.9\n[region]");
    assert_ne!(load(&other, &Overrides::default()).1.unwrap().told, settings.told, "rules are told");
}

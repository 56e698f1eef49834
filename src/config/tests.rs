//! What a pipeline file and flags come to.

use std::path::{Path, PathBuf};

use super::{ConfigError, Overrides, RegionSettings, Secret, Settings, SourceKind};
use crate::adapters::geoparquet::{GeoParquetVersion, Layout};
use crate::domain::{BBox, Filter, GeometryKind, Incomplete, Layer, Promoted, PromotedKind};
use crate::pipeline::Gate;
use crate::pipeline::conflate::{Attribute, Merge, Merging, Models, Rule};
use crate::pipeline::history::Retention;

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
    assert_eq!((settings.models, settings.gate), (Models::shipped(), Gate::default()));
    assert_eq!((settings.store, settings.database.is_none()), (home.join("../data/snapshots"), true));
    assert!(settings.taxonomy.category("charging_station").is_some() && settings.taxonomy.category("cafe").is_none());
    assert_eq!(settings.notes, Vec::<String>::new());
    assert_eq!(settings.retention, Retention::default());
    assert_eq!((settings.layers, settings.memory_bytes), (vec![], 1 << 30));
    assert_eq!((settings.layout, settings.told.get("zstd_level")), (Layout::default(), None));
    assert!(settings.area_rules.expressions().0.iter().any(|line| line == "building!=no"));
}

#[test]
fn paths_are_relative_to_the_file_and_flags_beat_it() {
    let text = format!(
        "{LEAST}reference = \"ref.json\"\n[region]\nbbox = [9.4, 47.0, 9.6, 47.2]\nhalo_m = 0\n[store]\ndir = \"snap\"\nzstd_level = 15\ngeoparquet = \"2.0\"\n\
         [postgis]\nurl = \"postgresql://file/x\"\nmode = \"replace\"\n"
    )
    .replace("osm_pbf", "open_charge_map");
    let (home, settings) = load(&text, &Overrides::default());
    let settings = settings.unwrap();
    let source = &settings.sources[0];
    assert_eq!((&source.paths, &source.changes), (&vec![home.join("in.osm.pbf")], &None));
    assert_eq!(source.kind, SourceKind::OpenChargeMap { reference: Some(home.join("ref.json")) });
    let bbox = BBox { xmin: 9.4, ymin: 47.0, xmax: 9.6, ymax: 47.2 };
    assert_eq!((settings.region, settings.store), (RegionSettings::Box(bbox, 0.0), home.join("snap")));
    let layout = Layout { zstd_level: 15, version: GeoParquetVersion::V2_0 };
    assert_eq!((settings.layout, &settings.told["zstd_level"]), (layout, &15.into()));
    assert_eq!(settings.database, Some((Secret::new("postgresql://file/x"), false)));

    let overrides = Overrides {
        inputs: vec![("osm".to_owned(), PathBuf::from("one"))],
        store: Some(PathBuf::from("there")),
        database: Some(Secret::new("postgresql://flag/x")),
        memory: Some(1 << 29),
    };
    let settings = load(&text, &overrides).1.unwrap();
    assert_eq!(
        (settings.sources[0].paths.as_slice(), settings.store.as_path()),
        (&["one".into()][..], Path::new("there"))
    );
    assert_eq!(settings.database, Some((Secret::new("postgresql://flag/x"), false)));
    assert_eq!(settings.memory_bytes, 1 << 29);
}

#[test]
fn a_retention_counts_days_weeks_and_months_and_shapes_no_snapshot() {
    let (_, plain) = load(LEAST, &Overrides::default());
    let (_, settings) = load(&format!("{LEAST}[retention]\ndaily = 7\nmonthly = 12\n"), &Overrides::default());
    let settings = settings.unwrap();
    assert_eq!(settings.retention, Retention { daily: 7, weekly: 0, monthly: 12 });
    assert_eq!(settings.told, plain.unwrap().told);
    let (_, refused) = load(&format!("{LEAST}[retention]\ndaily = -1\n"), &Overrides::default());
    let told = refused.unwrap_err().to_string();
    assert!(
        told.ends_with(
            "key `retention.daily`: invalid value: integer `-1`, expected a whole number that is not negative"
        ),
        "{told}"
    );
}

#[test]
fn conflation_has_rules_for_its_output_or_says_what_would_be_right() {
    let (_, settings) = load(LEAST, &Overrides::default());
    assert_eq!(settings.unwrap().merging, Merging::default());
    let text = format!(
        "{LEAST}[conflate]\nmerge = \"bridge_only\"\nopen_licenses = [\"General public data\"]\n\
         [conflate.survivorship]\nname = \"complete\"\ndefault = \"newest\"\nposition = \"priority\"\n"
    );
    let settings = load(&text, &Overrides::default()).1.unwrap();
    let rule = |attribute| settings.merging.survivorship.rule(attribute);
    let rules =
        [Attribute::Name, Attribute::Phone, Attribute::Status, Attribute::Address, Attribute::Position].map(rule);
    assert_eq!(rules, [Rule::Complete, Rule::Newest, Rule::Newest, Rule::Complete, Rule::Priority]);
    assert_eq!(settings.merging.merge, Merge::BridgeOnly);
    assert!(settings.merging.licenses.is_open(Some("general public data")));
    let told = &settings.told["conflate"];
    assert_eq!((&told["merge"], &told["survivorship"]["name"]), (&"bridge_only".into(), &"complete".into()));
    assert_eq!(told["open_licenses"], serde_json::json!(["general public data"]));

    let cases = [
        (
            "merge = \"mixed\"",
            "key `conflate.merge`: `mixed` is no kind of output; use `merged`, `bridge_only`, `layered`",
        ),
        (
            "survivorship.nam = \"newest\"",
            "key `conflate.survivorship.nam`: unknown attribute; did you mean `name`? Known here: `default`, `name`,",
        ),
        (
            "survivorship.name = \"first\"",
            "key `conflate.survivorship.name`: `first` is no rule; use `priority`, `newest`, `complete`, `agreement`",
        ),
        (
            "survivorship.fee = \"complete\"",
            "key `conflate.survivorship.fee`: no value of `fee` says more than another",
        ),
        ("survivorship.max_power_kw = \"newest\"", "it goes with `connectors`; give that its rule"),
        ("survivorship.tags = \"newest\"", "`tags` are united"),
        ("merge = \"layered\"\n[postgis]\nurl = \"postgresql://x/y\"", "layered places cannot be loaded"),
    ];
    for (line, message) in cases {
        let error = load(&format!("{LEAST}[conflate]\n{line}\n"), &Overrides::default()).1.unwrap_err().to_string();
        assert!(error.contains("a.toml, line 7") && error.contains(message), "{line}: {error}");
    }
}

#[test]
fn a_level_that_zstd_does_not_have_is_refused() {
    for level in ["0", "23", "-1"] {
        let told = load(&format!("{LEAST}[store]\nzstd_level = {level}\n"), &Overrides::default()).1.unwrap_err();
        let says = format!("line 7, key `store.zstd_level`: {level} is no level of zstd; use 1 (quick) to 22 (small)");
        assert!(told.to_string().contains(&says), "{told}");
    }
}

#[test]
fn a_version_of_geoparquet_that_cannot_be_written_is_refused() {
    let told = load(&format!("{LEAST}[store]\ngeoparquet = \"1.0\"\n"), &Overrides::default()).1.unwrap_err();
    let says = "line 7, key `store.geoparquet`: `1.0` is no version of GeoParquet that can be written; use \"1.1\"";
    assert!(told.to_string().contains(says), "{told}");
    let stated = load(&format!("{LEAST}[store]\ngeoparquet = \"1.1\"\n"), &Overrides::default()).1.unwrap();
    assert_eq!((stated.layout, stated.told.get("geoparquet")), (Layout::default(), None), "the same as nothing stated");
}

fn inputs(inputs: &[(&str, &str)]) -> Overrides {
    let inputs = inputs.iter().map(|(name, path)| ((*name).to_owned(), PathBuf::from(path))).collect();
    Overrides { inputs, ..Overrides::default() }
}

#[test]
fn several_files_are_one_source_of_osm_and_of_nothing_else() {
    let several = LEAST.replace("\"in.osm.pbf\"", "[\"a.osm.pbf\", \"sub/b.osm.pbf\"]");
    let (home, settings) = load(&several, &Overrides::default());
    assert_eq!(settings.unwrap().sources[0].paths, [home.join("a.osm.pbf"), home.join("sub/b.osm.pbf")]);
    let flags = inputs(&[("osm", "two"), ("osm", "one")]);
    let settings = load(&several, &flags).1.unwrap();
    assert_eq!(settings.sources[0].paths, [PathBuf::from("two"), PathBuf::from("one")], "flags beat the whole list");

    let message = |text: &str, flags: &Overrides| load(text, flags).1.unwrap_err().to_string();
    let other = |text: &str| text.replace("osm_pbf", "open_charge_map");
    assert_eq!(
        message(&other(LEAST), &flags),
        "--input osm=… is given 2 times; a source of kind open_charge_map takes one file or folder"
    );
    let cases = [
        (other(&several), "line 5, key `source[0].path`: only an osm_pbf source takes several files"),
        (LEAST.replace("\"in.osm.pbf\"", "[]"), "line 5, key `source[0].path`: it is empty; name at least one file"),
        (LEAST.replace("\"in.osm.pbf\"", "[\"a\", \"a\"]"), "line 5, key `source[0].path`: a file is named twice"),
        (
            LEAST.replace("\"in.osm.pbf\"", "5"),
            "line 5, key `source[0].path`: invalid type: integer `5`, expected a text or a list of texts",
        ),
        (LEAST.replace("\"in.osm.pbf\"", "[\"a\", 5]"), "line 5, key `source[0].path"),
    ];
    for (text, says) in cases {
        let told = message(&text, &Overrides::default());
        assert!(told.contains(says), "{told}\n{says}");
    }
}

#[test]
fn changes_are_a_folder_beside_the_file_or_a_url_as_it_is() {
    let changes = |stated: &str| {
        let (home, settings) = load(&format!("{LEAST}changes = \"{stated}\"\n"), &Overrides::default());
        (home, settings.map(|settings| settings.sources[0].changes.clone()).map_err(|error| error.to_string()))
    };
    let (home, folder) = changes("../diffs");
    assert_eq!(folder, Ok(Some(home.join("../diffs").display().to_string())));
    for url in ["https://planet.example/replication/day", "http://127.0.0.1:8080/"] {
        assert_eq!(changes(url).1, Ok(Some(url.to_owned())));
    }
    for wrong in ["", "ftp://planet.example/day", "https://"] {
        let told = changes(wrong).1.unwrap_err();
        assert!(
            told.ends_with(
                "line 6, key `source[0].changes`: it must be a folder, or a URL that begins with http:// or https://"
            ),
            "{told}"
        );
    }
    let other = format!("{}changes = \"diffs\"\n", LEAST.replace("osm_pbf", "open_charge_map"));
    let told = load(&other, &Overrides::default()).1.unwrap_err().to_string();
    assert!(told.ends_with("line 6, key `source[0].changes`: only an osm_pbf source takes changes"), "{told}");
}

/// A layer with every key.
const ROADS: &str = "[[layer]]\nname = \"roads\"\nsource = \"osm\"\nfilter = [\"highway and not highway=proposed\", \"route\"]\n\
    geometry = [\"area\", \"line\"]\ncolumns = [\"highway\", { key = \"lanes\", type = \"integer\" }, { key = \"kind\", name = \"of_road\" }]\n\
    incomplete = \"keep_flagged\"\nusers = true\n";

#[test]
fn a_layer_is_what_its_table_says() {
    let settings =
        load(&format!("{LEAST}{ROADS}[[layer]]\nname = \"all\"\nfilter = \"*\"\n"), &Overrides::default()).1.unwrap();
    let column = |key: &str, name: &str, kind| Promoted { key: key.to_owned(), name: name.to_owned(), kind };
    let roads = Layer {
        name: "roads".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["highway and not highway=proposed", "route"]).unwrap(),
        kinds: vec![GeometryKind::Line, GeometryKind::Area],
        columns: vec![
            column("highway", "highway", PromotedKind::Text),
            column("lanes", "lanes", PromotedKind::Integer),
            column("kind", "of_road", PromotedKind::Text),
        ],
        incomplete: Incomplete::KeepFlagged,
        users: true,
    };
    let all = Layer {
        name: "all".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["*"]).unwrap(),
        kinds: GeometryKind::ALL.to_vec(),
        columns: vec![],
        incomplete: Incomplete::Reject,
        users: false,
    };
    assert_eq!(settings.layers, [roads, all]);
    assert_eq!(
        settings.layer_lines,
        [
            "layer roads from osm: highway and not highway=proposed or route (line, area)",
            "layer all from osm: * (point, line, area)"
        ]
    );
}

#[test]
fn everything_that_shapes_a_layer_is_told() {
    let told = |text: &str| load(text, &Overrides::default()).1.unwrap().told;
    let plain = told(LEAST);
    assert!(plain.get("layers").is_none() && plain.get("area_rules_sha256").is_none(), "{plain}");
    let text = format!("{LEAST}{ROADS}");
    let roads = told(&text);
    assert_eq!(roads["area_rules_sha256"].as_str().map(str::len), Some(64));
    for (old, new) in [
        ("\"roads\"", "\"streets\""),
        ("\"route\"", "\"routes\""),
        ("\"area\", ", ""),
        ("\"integer\"", "\"number\""),
        ("\"of_road\"", "\"road_kind\""),
        ("\"lanes\"", "\"tracks\""),
        ("keep_flagged", "reject"),
        ("users = true", "users = false"),
    ] {
        assert_ne!(told(&text.replace(old, new))["layers"], roads["layers"], "{new}");
    }
    let memory = Overrides { memory: Some(1 << 28), ..Overrides::default() };
    assert_eq!(load(&text, &memory).1.unwrap().told, roads, "memory shapes nothing");
}

#[test]
fn layers_stand_without_places() {
    let text = format!("themes = []\n[gate]\nmin_rows = 5\n{}{ROADS}", LEAST.replacen("name = \"a\"\n", "", 1));
    let settings = load(&format!("name = \"a\"\n{text}"), &Overrides::default()).1.unwrap();
    assert_eq!((settings.gate.min_rows, settings.layers.len()), (0, 1));
    assert!(settings.taxonomy.category("charging_station").is_none());
}

#[test]
fn a_database_and_layers_leave_a_note() {
    let database = Overrides { database: Some(Secret::new("postgresql://h/x")), ..Overrides::default() };
    let notes = |text: &str, flags: &Overrides| load(text, flags).1.unwrap().notes;
    let text = format!("{LEAST}{ROADS}");
    assert_eq!(
        notes(&text, &database),
        ["layers are written to files only: they are not loaded into the database yet"]
    );
    assert_eq!((notes(&text, &Overrides::default()), notes(LEAST, &database)), (vec![], vec![]));
}

#[test]
fn what_is_wrong_with_a_layer_is_told_with_its_line_its_key_and_what_would_be_right() {
    let second = "[[source]]\nname = \"osm2\"\nkind = \"osm_pbf\"\npath = \"b.osm.pbf\"\n";
    let cases = [
        (("\"roads\"", "\"Ro/ads\""), "line 7, key `layer[0].name`: `Ro/ads` is no name; use 1 to 48 of a-z"),
        (
            ("filter =", "filtre ="),
            "line 9, key `layer[0].filtre`: unknown key; did you mean `filter`? Known here: `name`, `source`,",
        ),
        (("name = \"roads\"\n", ""), "line 6, key `layer[0]`: missing field `name`"),
        (
            ("\"osm\"\nfilter", "\"osn\"\nfilter"),
            "line 8, key `layer[0].source`: `osn` is no source of kind osm_pbf; the pipeline has: osm",
        ),
        (("\"route\"", "\"=x\""), "line 9, key `layer[0].filter`: cannot read the filter `=x`: a key is missing"),
        (
            ("[\"highway and not highway=proposed\", \"route\"]", "[]"),
            "line 9, key `layer[0].filter`: cannot read the filter ``: it is empty; `*`",
        ),
        (
            ("[\"highway and not highway=proposed\", \"route\"]", "true"),
            "line 9, key `layer[0].filter`: invalid type: boolean `true`, expected a text or a list of texts",
        ),
        (
            ("[\"area\", \"line\"]", "[\"area\", \"polygon\"]"),
            "line 10, key `layer[0].geometry`: `polygon` is no kind of geometry; use point, line, area",
        ),
        (("[\"area\", \"line\"]", "[\"line\", \"line\"]"), "line 10, key `layer[0].geometry`: `line` is named twice"),
        (
            ("[\"area\", \"line\"]", "[]"),
            "line 10, key `layer[0].geometry`: it is empty; name some of point, line, area, or leave it out",
        ),
        (
            ("[\"area\", \"line\"]", "\"line\""),
            "line 10, key `layer[0].geometry`: invalid type: string \"line\", expected a list",
        ),
        (
            ("\"integer\"", "\"int\""),
            "line 11, key `layer[0].columns[1]`: `int` is no type of column; use text, integer, number, boolean",
        ),
        (
            ("type =", "typ ="),
            "line 11, key `layer[0].columns[1].typ`: unknown key; did you mean `type`? Known here: `key`, `name`, `type`",
        ),
        (("key = \"lanes\", ", ""), "line 11, key `layer[0].columns[1]`: missing field `key`"),
        (
            ("[\"highway\",", "[5,"),
            "line 11, key `layer[0].columns[0]`: invalid type: integer `5`, expected a key as text or { key =",
        ),
        (
            ("[\"highway\",", "[\"\","),
            "line 11, key `layer[0].columns[0]`: the key is empty; name a tag's key, e.g. \"name\"",
        ),
        (("\"of_road\"", "\"\""), "line 11, key `layer[0].columns[2]`: `` is no name of a column: 1 to 63 bytes"),
        (("\"of_road\"", "\"a\\nb\""), "line 11, key `layer[0].columns[2]`: `a\\nb` is no name of a column"),
        (
            ("\"of_road\"", "\"highway\""),
            "line 11, key `layer[0].columns[2]`: `highway` is the column of the key `highway` already; name it otherwise: { key = \"kind\", name =",
        ),
        (
            ("\"of_road\"", "\"Lanes\""),
            "line 11, key `layer[0].columns[2]`: `Lanes` is the column of the key `lanes` already",
        ),
        (
            (", name = \"of_road\"", ""),
            "line 11, key `layer[0].columns[2]`: every layer, or its changes, has a column `kind` of its own; name it otherwise: { key = \"kind\", name =",
        ),
        (
            ("[\"highway\",", "[\"User\","),
            "line 11, key `layer[0].columns[0]`: every layer, or its changes, has a column `user`",
        ),
        (
            ("[\"highway\",", "[\"class\","),
            "line 11, key `layer[0].columns[0]`: every layer, or its changes, has a column `class`",
        ),
        (
            ("\"keep_flagged\"", "\"keep\""),
            "line 12, key `layer[0].incomplete`: `keep` is no choice; use reject, keep_flagged",
        ),
        (("users = true", "users = 1"), "line 13, key `layer[0].users`: invalid type: integer `1`, expected a boolean"),
    ];
    let told = |text: &str| load(text, &Overrides::default()).1.unwrap_err().to_string();
    for ((old, new), says) in cases {
        assert!(ROADS.contains(old), "{old}");
        let told = told(&format!("{LEAST}{}", ROADS.replacen(old, new, 1)));
        assert!(told.contains(says), "{new}\n{told}\n{says}");
    }
    let without_source = ROADS.replace("source = \"osm\"\n", "");
    let charge_map = LEAST.replace("osm_pbf", "open_charge_map");
    let cases = [
        (
            format!("{LEAST}{ROADS}{ROADS}"),
            "line 15, key `layer[1].name`: two layers are named `roads`; give each its own name",
        ),
        (
            format!("{LEAST}{second}{without_source}"),
            "line 10, key `layer[0].source`: say from which source it is read: osm, osm2",
        ),
        (
            format!("{charge_map}{without_source}"),
            "line 6, key `layer[0].source`: a layer is read from a source of kind osm_pbf, and the pipeline has none",
        ),
        (
            format!("{charge_map}{second}{ROADS}"),
            "line 12, key `layer[0].source`: `osm` is no source of kind osm_pbf; the pipeline has: osm2",
        ),
    ];
    for (text, says) in cases {
        let told = told(&text);
        assert!(told.contains(says), "{told}\n{says}");
    }
}

#[test]
fn area_rules_come_from_the_file_that_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let load = |rules: Option<&str>| {
        let path = folder.path().join("a.toml");
        std::fs::write(&path, format!("area_rules = \"rules.toml\"\n{LEAST}{ROADS}")).unwrap();
        if let Some(rules) = rules {
            std::fs::write(folder.path().join("rules.toml"), rules).unwrap();
        }
        Settings::load(&path, &Overrides::default())
    };
    let told = |rules| load(rules).unwrap_err().to_string().replace(&folder.path().display().to_string(), "…");
    assert_eq!(told(None), "cannot read …/rules.toml, named by `area_rules`");
    assert_eq!(
        told(Some("area = [\"=x\"]")),
        "…/rules.toml, named by `area_rules`: cannot read the filter `=x`: a key is missing; write `key`, `key=value` or `*`"
    );
    assert!(told(Some("areas = []")).starts_with("…/rules.toml, named by `area_rules`: "));
    let (first, second) = (load(Some("area = [\"building\"]")).unwrap(), load(Some("area = [\"landuse\"]")).unwrap());
    assert_eq!(first.area_rules.expressions().0, ["building"]);
    assert_ne!(first.told["area_rules_sha256"], second.told["area_rules_sha256"]);
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

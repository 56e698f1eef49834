//! `poimill eval` on small invented labels.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::poimill;

/// A model of nothing but distance: an even chance at 50 m.
const BY_DISTANCE: &str = "\
fitted_on = 'nothing'
match_score = 0.5
review_score = 0.2
intercept = 0.0
[features]
distance_m = { at = [0, 100], weights = [4, -4], shape = 'falling' }
";

/// A folder with files.
struct Labels(TempDir);

impl Labels {
    fn new(files: &[(&str, &str)]) -> Self {
        let labels = Self(TempDir::new().expect("a folder"));
        for (name, text) in files {
            let path = labels.path(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        labels
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file was written")
    }

    /// Exit code, stdout and stderr of `poimill eval` in the folder; arguments are split at blanks.
    fn eval(&self, args: &str) -> (i32, String, String) {
        let done = poimill().arg("eval").args(args.split_whitespace()).current_dir(self.0.path()).output();
        let done = done.expect("poimill starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (done.status.code().expect("a code"), text(done.stdout), text(done.stderr))
    }

    /// What a run that ends well prints.
    fn told(&self, args: &str) -> String {
        let (code, out, err) = self.eval(args);
        assert_eq!(code, 0, "{err}");
        out
    }

    fn json(&self, args: &str) -> Value {
        serde_json::from_str(&self.told(&format!("{args} --json"))).expect("one JSON object")
    }
}

/// Pairs in CSV, each of its own two records so many metres apart.
fn pairs(pairs: &[(f64, &str, &str, u8)]) -> String {
    let mut text = "name_a,lat_a,lon_a,name_b,lat_b,lon_b,label\n".to_owned();
    for (at, (metres, name_a, name_b, label)) in pairs.iter().enumerate() {
        let lat = 40.0 + at as f64 / 100.0;
        let other = lat + metres / 111_195.08;
        writeln!(text, "{name_a},{lat},9.5,{name_b},{other},9.5,{label}").expect("text");
    }
    text
}

/// Six pairs: three merged by distance, of which one is wrong, and one of the others missed.
fn six() -> String {
    pairs(&[
        (5.0, "Möwe", "Moewe", 1),
        (10.0, "Anker", "Anker", 1),
        (20.0, "Bäcker", "Metzger", 0),
        (80.0, "Rathaus", "Rathaus", 1),
        (90.0, "Kran", "Brücke", 0),
        (300.0, "Kran", "Mole", 0),
    ])
}

/// A city in which near pairs of one name are one place: so many pairs, every third of them a match.
fn city(size: usize, shift: f64) -> String {
    let names = ["Anker", "Möwe", "Leuchtturm", "Kran", "Rathaus"];
    let rows: Vec<(f64, &str, &str, u8)> = (0..size)
        .map(|at| {
            let (name, other) = (names[at % 5], names[(at + 1 + at / 5 % 3) % 5]);
            let metres = (at * 37 % 200) as f64 + shift;
            if at % 3 == 0 { (metres / 3.0, name, name, 1) } else { (metres, name, other, 0) }
        })
        .collect();
    pairs(&rows)
}

#[test]
fn a_set_is_counted_as_by_hand() {
    let labels = Labels::new(&[("six.csv", &six()), ("model.toml", BY_DISTANCE)]);
    let found = labels.json("six.csv --model model.toml");
    let set = &found["sets"][0];
    let told = ["pairs", "matches", "records"].map(|key| set[key].as_u64().expect("a number"));
    assert_eq!((set["set"].as_str(), told), (Some("six.csv"), [6, 3, 12]));
    let at = &set["at_match_score"];
    assert_eq!(["right", "wrong", "missed"].map(|key| at[key].as_u64()), [Some(2), Some(1), Some(1)]);
    assert_eq!(at["f1"].as_f64(), Some(2.0 / 3.0));
    // By falling score: match, match, miss, match, miss, miss.
    assert_eq!(set["best"]["at"]["f1"].as_f64(), Some(6.0 / 7.0));
    assert_eq!(set["recall_at_precision_0.98"].as_f64(), Some(2.0 / 3.0));
    let area = set["average_precision"].as_f64().expect("a number");
    assert!((area - (1.0 + 1.0 + 0.75) / 3.0).abs() < 1e-12, "{area}");
    assert_eq!(found["mean"]["f1"], at["f1"]);
}

#[test]
fn the_table_has_a_line_per_set_and_their_mean() {
    let labels = Labels::new(&[("a/six.csv", &six()), ("b/six.csv", &six()), ("model.toml", BY_DISTANCE)]);
    let told = labels.told("a b --model model.toml");
    let starts =
        ["the model model.toml", "set ", "a ", "b ", "mean ", "median ", "all pairs: 4 merged rightly, 2 wrongly"];
    for start in starts {
        assert!(told.lines().any(|line| line.starts_with(start)), "{start}: {told}");
    }
    let figures: Vec<&str> =
        told.lines().find(|line| line.starts_with("a ")).expect("a line").split_whitespace().take(7).collect();
    assert_eq!(figures, ["a", "6", "3", "0.50", "0.667", "0.667", "0.667"]);
    assert!(told.contains("expected calibration error") && told.contains("0.000 to 0.067"), "{told}");
}

#[test]
fn wrong_pairs_are_written_the_worst_first_and_a_plot_is_drawn() {
    let labels = Labels::new(&[("six.csv", &six()), ("model.toml", BY_DISTANCE)]);
    labels.told("six.csv --model model.toml --errors out/wrong.csv --plot out/pr.svg");
    let wrong = labels.read("out/wrong.csv");
    let rows: Vec<&str> = wrong.lines().collect();
    assert!(rows[0].starts_with("set,label,remark,score,match_score,veto,distance_m,a_id,a_name"), "{wrong}");
    assert_eq!(rows.len(), 3, "{wrong}");
    assert!(rows.iter().any(|row| row.starts_with("six.csv,match,") && row.contains("Rathaus")), "{wrong}");
    assert!(rows.iter().any(|row| row.starts_with("six.csv,miss,") && row.contains("Metzger")), "{wrong}");
    assert!(rows[1].contains("distance_m 20 +2.40") || rows[1].contains("distance_m 80 -2.40"), "{wrong}");
    let plot = labels.read("out/pr.svg");
    assert!(plot.contains("<svg ") && plot.contains("six.csv: precision 0.667, recall 0.667 at 0.50"), "{plot}");
}

#[test]
fn a_fitted_model_is_written_and_measures_as_it_did() {
    let labels = Labels::new(&[("a.csv", &city(60, 0.0)), ("template.toml", BY_DISTANCE)]);
    let fitted = labels.json("a.csv --fit fitted.toml --template template.toml");
    let written = labels.read("fitted.toml");
    assert!(written.contains("fitted_on = \"a.csv (60 pairs, 20 matches)\""), "{written}");
    assert!(written.contains("distance_m = { at = [0, 100], weights = ["), "{written}");
    assert!(written.contains("shape = \"falling\""), "{written}");
    assert!(fitted["model"].as_str().expect("text").contains("on the pairs that it was fitted on"));
    let measured = labels.json("a.csv --model fitted.toml");
    assert_eq!(measured["sets"][0]["at_match_score"], fitted["sets"][0]["at_match_score"]);
    for threads in [1, 2] {
        labels.told(&format!("a.csv --fit again.toml --template template.toml --threads {threads}"));
        assert_eq!(labels.read("again.toml"), written, "{threads} threads");
    }
    // The shipped template learns from what there is and keeps the rest.
    labels.told("a.csv --fit shipped.toml");
    assert!(labels.read("shipped.toml").contains("# Kept from the template: fixed, or known to no pair of the fit."));
}

#[test]
fn a_group_is_measured_by_a_model_of_the_others() {
    let labels = Labels::new(&[
        ("x/edi/a.csv", &city(60, 0.0)),
        ("x/pit/a.csv", &city(45, 5.0)),
        ("y/edi/a.csv", &city(30, 9.0)),
        ("template.toml", BY_DISTANCE),
    ]);
    let found = labels.json("x y --hold-out --template template.toml");
    let told: Vec<(&str, &str, &str)> = found["sets"]
        .as_array()
        .expect("sets")
        .iter()
        .map(|set| ["set", "group", "fitted_on"].map(|key| set[key].as_str().expect("text")).into())
        .collect();
    let others = "x/edi (60 pairs, 20 matches), y/edi (30 pairs, 10 matches)";
    let pit = "x/pit (45 pairs, 15 matches)";
    assert_eq!(told, [("x/edi", "edi", pit), ("x/pit", "pit", others), ("y/edi", "edi", pit)]);
    let groups = |args: &str| -> Vec<String> {
        let found = labels.json(&format!("{args} --hold-out --template template.toml"));
        let sets = found["sets"].as_array().expect("sets").clone();
        sets.iter().map(|set| set["group"].as_str().expect("text").to_owned()).collect()
    };
    assert_eq!(groups("x y --group-by parent"), ["x", "x", "y"]);
    assert_eq!(groups("x y --group-by set"), ["x/edi", "x/pit", "y/edi"]);
    assert_eq!(groups("one=x/edi two=y"), ["one", "two"]);
    let (code, _, err) = labels.eval("x/edi y/edi --hold-out");
    assert_eq!((code, err.contains("there is one group only, `edi`; holding out needs two")), (2, true), "{err}");
}

#[test]
fn two_tables_are_matched_end_to_end() {
    let a = "id,name,latitude,longitude\na1,Anker,47.1,9.5\na2,Leuchtturm,47.2,9.5\na3,Kran,47.3,9.5\n";
    let b = "id,name,latitude,longitude\nb1,Anker,47.1001,9.5\nb2,Leuchtturm,47.2001,9.5\nb3,Mole,47.4,9.5\n";
    let truth = "a_id,b_id,label\na1,b1,1\na2,b2,1\na3,b3,1\na3,b1,0\n";
    let labels = Labels::new(&[("a.csv", a), ("b.csv", b), ("truth.csv", truth), ("model.toml", BY_DISTANCE)]);
    let found = labels.json("--tables a.csv b.csv --truth truth.csv --model model.toml --errors wrong.csv");
    assert_eq!((found["candidates"].as_u64(), found["completeness"].as_f64()), (Some(2), Some(2.0 / 3.0)));
    assert_eq!(found["reduction"].as_f64(), Some(1.0 - 2.0 / 9.0));
    assert_eq!(
        (found["linked"]["precision"].as_f64(), found["linked"]["recall"].as_f64()),
        (Some(1.0), Some(2.0 / 3.0))
    );
    let recall = found["b_cubed"]["recall"].as_f64().expect("a number");
    assert!((recall - 5.0 / 6.0).abs() < 1e-12, "four records whole, two by half: {recall}");
    assert!(labels.read("wrong.csv").lines().nth(1).expect("a row").starts_with("tables,match,no candidate,"));
    let told = labels.told("--tables a.csv b.csv --truth truth.csv --model model.toml");
    assert!(told.contains("linked        2 rightly, 0 wrongly, 1 missed"), "{told}");
}

#[test]
fn features_are_listed_with_their_meaning() {
    let told = Labels::new(&[]).told("--features");
    for feature in poimill::pipeline::conflate::Feature::ALL {
        assert!(
            told.lines().any(|line| line.starts_with(feature.name()) && line.ends_with(feature.meaning())),
            "{told}"
        );
    }
}

#[test]
fn what_cannot_be_used_is_said_with_the_right_exit_code() {
    let labels = Labels::new(&[
        ("six.csv", &six()),
        ("headless.csv", "1,2\n3,4\n"),
        ("misses.csv", &pairs(&[(5.0, "a", "b", 0)])),
        ("part.csv", &format!("{}x,north,9,y,1,9,1\n", six())),
        ("model.toml", "match_score = 0.5"),
        ("empty/readme.md", ""),
        ("empty.csv", ""),
        (
            "words.csv",
            &pairs(&[(5.0, "a", "a", 1), (9.0, "b", "b", 1), (90.0, "c", "d", 0)]).replace(",9.5,0\n", ",9.5,other\n"),
        ),
        ("same.csv", &pairs(&[(0.0, "a", "a", 1), (90.0, "c", "d", 0)])),
        ("huge.toml", &BY_DISTANCE.replace("[4, -4]", "[1e308, -1e308]")),
    ]);
    let cases = [
        ("", 2, "required"),
        ("absent.csv", 3, "cannot read absent.csv"),
        ("empty.csv", 3, "empty.csv is empty; it should name its columns in the first line"),
        ("same.csv --model huge.toml", 2, "the model scores a pair NaN, which is no probability"),
        ("six.csv --plot empty", 2, "--plot empty is a folder; name a file in it"),
        ("six.csv --errors empty", 2, "--errors empty is a folder; name a file in it"),
        ("words.csv --fit out.toml", 3, "input `words.csv` cannot be used"),
        (
            "words.csv --fit out.toml",
            3,
            "no pair is labelled a miss, so nothing can be merged wrongly: precision and F1 say nothing; 1 pair has a label",
        ),
        ("misses.csv --fit out.toml", 3, "input `misses.csv` cannot be used"),
        ("empty", 3, "empty holds no file of labelled pairs"),
        ("headless.csv", 3, "does not name two columns per attribute"),
        ("six.csv --model model.toml", 2, "model.toml: the model is not TOML of the right form: "),
        ("six.csv --model absent.toml", 2, "absent.toml: "),
        (
            "misses.csv --fit out.toml",
            3,
            "a fit needs pairs that are one place and pairs that are not; there are 0 and 1",
        ),
        ("--tables six.csv six.csv", 2, "--truth"),
        ("--tables six.csv six.csv --truth six.csv", 3, "has no id for `a record`"),
        ("six.csv --fit out.toml --hold-out", 2, "cannot be used with"),
    ];
    for (args, code, part) in cases {
        let (found, out, err) = labels.eval(args);
        assert_eq!((found, out.as_str(), err.contains(part)), (code, "", true), "{args}: {err}");
    }
    let (code, out, err) = labels.eval("six.csv --plot six.csv/pr.svg");
    assert!(
        code == 1 && out.contains("precision") && err.contains("cannot write six.csv/pr.svg"),
        "{code} {out} {err}"
    );
    let one_sided = labels.told("words.csv");
    assert!(one_sided.contains("\nwords.csv: no pair is labelled a miss"), "{one_sided}");
    assert_eq!(labels.json("words.csv")["sets"][0]["unread_labels"].as_u64(), Some(1));
    let (code, out, err) = labels.eval("part.csv");
    assert_eq!(
        (code, out.contains("part.csv"), err.contains("1 pair left out without a position")),
        (0, true, true),
        "{err}"
    );
}

//! The memory limit: it decides where nodes are kept that ways refer to, and on nothing else.

use std::fmt::Write;
use std::path::Path;

use super::encode::pbf;
use super::{Reading, Silent, shared_data, taxonomy};
use crate::adapters::io::FolderScratch;
use crate::adapters::osm::OsmPbf;
use crate::domain::{AreaRules, ConnectorCodes, Filter, GeometryKind, Incomplete, Layer, Region};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Chunk, Demand, Source};

/// What places and a layer of everything are with this much memory: all that is handed on, and its rows.
fn read(path: &Path, scratch: &Path, memory_bytes: u64) -> Result<(Reading, Vec<String>), RunError> {
    let everything = Layer {
        name: "all".to_owned(),
        source: "osm".to_owned(),
        filter: Filter::parse(&["*".to_owned()]).expect("the filter is sound"),
        kinds: GeometryKind::ALL.to_vec(),
        columns: vec![],
        incomplete: Incomplete::KeepFlagged,
        users: false,
    };
    let taxonomy = taxonomy(&["building", "leisure"]);
    let area_rules = AreaRules::parse("area = [\"building\", \"leisure\"]").expect("the rules are right");
    let (mut features, mut rejects, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let extracted = OsmPbf::new("osm", path).with_memory(FolderScratch::new(scratch), memory_bytes).read(
        &Demand {
            region: &Region::world(),
            taxonomy: &taxonomy,
            layers: &[everything],
            area_rules: &area_rules,
            connectors: &ConnectorCodes::default(),
        },
        &Silent,
        &mut |mut chunk: Chunk| {
            features.append(&mut chunk.features);
            rejects.append(&mut chunk.rejects);
            rows.extend(chunk.layer_rows.iter().map(|rows| format!("{rows:?}")));
            Ok(())
        },
    )?;
    Ok((Reading { features, rejects, extracted }, rows))
}

#[test]
fn the_memory_decides_on_no_row() {
    let folder = tempfile::tempdir().unwrap();
    // Six blocks of ways, each of triangles that share nodes with those of the block before it; 9 is missing.
    let mut lines = String::new();
    for node in (1..1_400).filter(|node| *node != 9) {
        writeln!(lines, "n{node} x{}.5 y{}.25", node % 90, node * 37 % 70).unwrap();
    }
    for way in 0..600 {
        if way % 100 == 0 {
            lines.push_str("--\n");
        }
        let first = 1 + way * 7 % 390 * 3 + way / 100 * 30;
        let [a, b, c] = [first, first + 1, first + 31];
        writeln!(lines, "w{} Nn{a},n{b},n{c},n{a} Tbuilding=yes", way + 1).unwrap();
    }
    let generated = folder.path().join("generated.osm.pbf");
    std::fs::write(&generated, pbf(&lines)).unwrap();
    let real = shared_data("the_memory_decides_on_no_row, on a real file", "osm/monaco-20260710.osm.pbf");
    for path in [Some(generated), real].iter().flatten() {
        let usual = read(path, folder.path(), 1 << 30).unwrap();
        assert!(usual.0.features.len() > 500, "{}", usual.0.features.len());
        assert!(usual.0.balances() && !usual.1.is_empty());
        for memory_bytes in [1, 20_000, 1 << 20] {
            let read = read(path, folder.path(), memory_bytes).unwrap();
            assert_eq!(read.0, usual.0, "{memory_bytes} bytes of memory, {}", path.display());
            assert!(read.1 == usual.1, "{memory_bytes} bytes of memory, {}", path.display());
        }
    }
}

#[test]
fn scratch_that_cannot_be_written_to_fails_the_run_and_blames_no_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.osm.pbf");
    std::fs::write(&path, pbf("n1 x1 y1\nn2 x2 y2\n--\nw1 Nn1,n2 Thighway=path\n")).unwrap();
    let error = read(&path, &path, 1).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let expected = format!("cannot create a scratch file for ids of nodes in {}", path.display());
    assert!(super::told(&error).starts_with(&expected), "{}", super::told(&error));
    assert!(read(&path, &path, 1 << 30).is_ok(), "what fits needs no scratch");
}

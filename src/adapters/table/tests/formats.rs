//! Formats: JSON in every layout, GeoJSON, Parquet, gzip, and what only GDAL reads.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;

use super::{Told, read, read_bytes, read_file, refused, repeated};

#[test]
fn json_is_read_in_every_layout() {
    let mapping =
        "id = 'id'\nlon = 'at.x'\nlat = 'at.y'\ntags = { name = 'name', n = { column = 'n', as = 'integer' } }";
    let (one, two) =
        (r#"{"id":1,"at":{"x":9.5,"y":47},"name":"A","n":2}"#, r#"{"id":"b","at":{"x":9,"y":47.5},"name":null}"#);
    let layouts = [
        (format!("[{one},{two}]"), ["1 ", "b "]),
        (format!("{one}\n{two}\n"), ["1 1", "b 2"]),
        (format!("\u{feff}[\n {one},\n {two}\n]\n"), ["1 ", "b "]),
    ];
    for (text, lines) in layouts {
        let told = read(&text, mapping);
        assert_eq!(told.lines(), lines, "{text}");
        assert_eq!(told.tags(), ["1: n=2 name=A", "b:"], "{text}");
        assert_eq!(told.points(), ["1 9.5 47", "b 9 47.5"], "{text}");
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        assert_eq!(read_bytes(&gzip.finish().unwrap(), mapping).unwrap().tags(), told.tags());
    }
    let enclosed = format!("{{\"total\":2,\"stations\":[{one},{two}]}}");
    assert_eq!(read(&enclosed, &format!("records = 'stations'\n{mapping}")).tags(), ["1: n=2 name=A", "b:"]);
    let told = read(&format!("{one}\noops\n7\n{two}\n"), mapping);
    assert_eq!(told.lines(), ["1 1", "b 4"]);
    assert!(told.rejects()[0].starts_with("2 line 2 malformed: it is not valid JSON"), "{:?}", told.rejects());
    assert_eq!(told.rejects()[1], "3 line 3 malformed: it is no JSON object");
    let told = read_bytes(
        b"{\"id\":1,\"x\":1,\"y\":2,\"name\":\"K\xf6ln\"}\n",
        "id = 'id'\nlon = 'x'\nlat = 'y'\ntags = { name = 'name' }",
    )
    .unwrap();
    assert_eq!(
        (told.tags(), told.findings()),
        (vec!["1:".to_owned()], vec!["invalid_encoding name K\u{fffd}ln".to_owned()])
    );
}

#[test]
fn a_column_of_json_that_only_later_records_have_is_found_and_one_of_none_is_refused() {
    let late = |n| if n == 1_400 { ",\"late\":\"z\"" } else { "" };
    let lines = repeated(1_500, |n| format!("{{\"id\":{n},\"x\":1,\"y\":2{}}}\n", late(n)));
    let mapping = |tag: &str| format!("id = 'id'\nlon = 'x'\nlat = 'y'\ntags = {{ t = '{tag}' }}");
    assert_eq!(read(&lines, &mapping("late")).tags()[1_400], "1400: t=z");
    let told = refused(lines.as_bytes(), &mapping("laet"));
    assert!(
        told.starts_with("has no column `laet`, which `tags.t` names (did you mean `late`?); its records have"),
        "{told}"
    );
    // Nobody can tell what columns an empty list would have.
    assert_eq!(read("[]", &mapping("late")).extracted.read, 0);
}

#[test]
fn records_inside_a_record_are_columns_too() {
    let text = r#"[{"id":"s","x":1,"y":2,"plugs":[{"t":"CCS","kw":150},{"t":"T2"},{"t":"T2","kw":22}]}]"#;
    let mapping = "id = 'id'\nlon = 'x'\nlat = 'y'\n[[connectors]]\npower = 'plugs.kw'\n\
        type = { column = 'plugs.t', map = { CCS = 'ccs2', T2 = 'type2_socket' } }";
    assert_eq!(read(text, mapping).connectors(), ["s: ccs2 dc 150kW, type2_socket, type2_socket 22kW"]);
    let numbered = "id = 'id'\nlon = 'x'\nlat = 'y'\n[[connectors]]\nrepeat = 9\npower = 'plugs.{n}.kw'\n\
        type = { column = 'plugs.{n}.t', map = { CCS = 'ccs2', T2 = 'type2_socket' } }";
    assert_eq!(read(text, numbered).connectors(), ["s: ccs2 dc 150kW, type2_socket, type2_socket 22kW"]);
}

fn collection(features: &[&str]) -> String {
    format!("{{\"type\":\"FeatureCollection\",\"name\":\"x\",\"features\":[{}]}}", features.join(","))
}

fn feature(id: &str, properties: &str, geometry: &str) -> String {
    format!("{{\"type\":\"Feature\"{id},\"properties\":{properties},\"geometry\":{geometry}}}")
}

#[test]
fn features_bring_their_id_geometry_and_tags() {
    let point = r#"{"type":"Point","coordinates":[9.5,47.1,450]}"#;
    let square = r#"{"type":"Polygon","coordinates":[[[0,0],[0,1],[1,1],[1,0],[0,0]]]}"#;
    let both = r#"{"type":"MultiPoint","coordinates":[[1,2],[3,4]]}"#;
    let line = r#"{"type":"LineString","coordinates":[[0,0],[2,0]]}"#;
    let features = [
        feature(
            ",\"id\":\"a\"",
            r#"{"amenity":"charging_station","capacity":2,"x":null,"l":["p","q"],"o":{"k":1}}"#,
            point,
        ),
        feature(",\"id\":7", "{}", square),
        feature(",\"id\":8", "null", both),
        feature(",\"id\":9", "{}", line),
        feature(",\"id\":10", "{}", "null"),
        feature(",\"id\":11", "{}", r#"{"type":"Point","coordinates":[]}"#),
        feature(",\"id\":12", "{}", r#"{"type":"Circle","coordinates":[1,2]}"#),
        feature("", "{}", point),
    ];
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    let mapping = "tags = { '*' = true, capacity = { column = 'capacity', as = 'integer' }, c = { value = 'LU' } }";
    for told in [read(&collection(&features), mapping), read(&features.join("\n"), mapping)] {
        assert_eq!(told.points(), ["a 9.5 47.1", "7 area of 1", "8 1 2", "9 1 0"]);
        assert_eq!(told.tags()[0], "a: amenity=charging_station c=LU capacity=2 l=p;q");
        assert_eq!(told.features[2].other_positions, [geo::Point::new(3.0, 4.0)]);
        let codes: Vec<String> = told.rejects.iter().map(|r| format!("{} {}", r.record_id, r.code)).collect();
        assert_eq!(codes[..2], ["10 no_position", "11 no_position"].map(str::to_owned), "{:?}", told.rejects());
        assert_eq!(codes[2], "12 invalid_position", "{:?}", told.rejects());
        assert!(told.rejects()[3].ends_with("malformed: it has no id; say in [source.table] which columns make one"));
    }
    let without = collection(&[&feature("", "{}", point)]);
    assert!(refused(without.as_bytes(), "").starts_with("has no ids of its own"));
    let outer = read(&collection(&[&feature(",\"id\":1", "{}", square)]), "");
    let crate::domain::Shape::Area(area) = &outer.features[0].shape else { panic!("an area") };
    let ring: Vec<(f64, f64)> = area.0[0].exterior().0.iter().map(|c| (c.x, c.y)).collect();
    assert_eq!(ring[1], (1.0, 0.0), "counter-clockwise, as shapes are");
}

#[test]
fn a_geometry_may_stand_in_a_column() {
    let cases = [
        ("POINT (9.5 47.1)", Ok("1 9.5 47.1")),
        ("SRID=4326;Point(9.5 47.1)", Ok("1 9.5 47.1")),
        ("[9.5, 47.1]", Ok("1 9.5 47.1")),
        (r#"{""type"":""Point"",""coordinates"":[9.5,47.1]}"#, Ok("1 9.5 47.1")),
        ("010100000000000000000023400000000000804740", Ok("1 9.5 47")),
        ("POLYGON ((0 0, 1 0, 1 1, 0 0))", Ok("1 area of 1")),
        ("MULTIPOINT (1 2, 3 4)", Ok("1 1 2")),
        ("POINT EMPTY", Err("no_position")),
        ("", Err("no_position")),
        ("Main Street", Err("invalid_position")),
        ("[9.5]", Err("invalid_position")),
        ("0101000000", Err("invalid_position")),
    ];
    for (text, expected) in cases {
        let told = read(&format!("id,g\n1,\"{text}\"\n"), "id = 'id'\ngeometry = 'g'");
        match expected {
            Ok(point) => assert_eq!(told.points(), [point], "{text} {:?}", told.rejects()),
            Err(code) => assert_eq!(told.rejects[0].code.name(), code, "{text}"),
        }
    }
}

/// Reads a Parquet file of these columns, in two row groups.
fn parquet(columns: Vec<(&str, ArrayRef)>, geo: Option<&str>, mapping: &str) -> Told {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.parquet");
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch.slice(0, 1)).unwrap();
    writer.flush().unwrap();
    writer.write(&batch.slice(1, batch.num_rows() - 1)).unwrap();
    if let Some(geo) = geo {
        writer.append_key_value_metadata(KeyValue::new("geo".to_owned(), geo.to_owned()));
    }
    writer.close().unwrap();
    read_file(&path, mapping).unwrap_or_else(|error| panic!("{}", super::chain(&error)))
}

#[test]
fn parquet_is_read_with_its_types() {
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2]))),
        ("x", Arc::new(Float64Array::from(vec![9.5, 10.0]))),
        ("y", Arc::new(Float64Array::from(vec![47.1, 48.0]))),
        ("name", Arc::new(StringArray::from(vec![Some("A"), None]))),
        ("open", Arc::new(BooleanArray::from(vec![true, false]))),
        ("kw", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(22), Some(50)]), None]))),
        (
            "a",
            Arc::new(
                StructArray::try_from(vec![("city", Arc::new(StringArray::from(vec!["Ulm", "Bonn"])) as ArrayRef)])
                    .unwrap(),
            ),
        ),
        ("unused", Arc::new(StringArray::from(vec!["u", "v"]))),
    ];
    let mapping = "id = 'id'\nlon = 'x'\nlat = 'y'\n[tags]\nname = 'name'\nopen = { column = 'open', as = 'boolean' }\n\
        kw = { column = 'kw', as = 'kw' }\ncity = 'a.city'";
    let told = parquet(columns, None, mapping);
    assert_eq!(told.tags(), ["1: city=Ulm kw=22 kW;50 kW name=A open=yes", "2: city=Bonn open=no"]);
    assert_eq!(told.points(), ["1 9.5 47.1", "2 10 48"]);
    assert_eq!(
        &*told.features[1].raw, r#"{"a":{"city":"Bonn"},"id":2,"open":false,"x":10.0,"y":48.0}"#,
        "what is mapped"
    );
}

#[test]
fn a_geoparquet_file_brings_its_geometry() {
    let wkb = |x: f64, y: f64| [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat();
    let (one, two) = (wkb(9.5, 47.1), wkb(1.0, 2.0));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(StringArray::from(vec!["a", "b"]))),
        ("geometry", Arc::new(BinaryArray::from(vec![Some(one.as_slice()), Some(two.as_slice())]))),
    ];
    let geo = r#"{"version":"1.1.0","primary_column":"geometry","columns":{"geometry":{"encoding":"WKB","geometry_types":["Point"]}}}"#;
    assert_eq!(parquet(columns, Some(geo), "id = 'id'").points(), ["a 9.5 47.1", "b 1 2"]);
}

#[test]
fn what_is_no_whole_file_is_an_error() {
    let mapping = "id = 'id'\nlon = 'x'\nlat = 'y'";
    let cases: [(&[u8], &str); 4] = [
        (b"PAR1\x15\x04\x15", "cannot be read as Parquet; fetch it again"),
        (b"[{\"id\":1,\"x\":1,\"y\":2},", "is cut off after record 1"),
        (b"{\"features\":[{\"id\":1,\"x\":1,\"y\":2}]", "is cut off after record 1"),
        (b"[{\"id\":1,\"x\":1,\"y\":2}]]", "is damaged at byte"),
    ];
    for (bytes, message) in cases {
        assert!(refused(bytes, mapping).starts_with(message), "{}", refused(bytes, mapping));
    }
    let stated = refused(b"id,x,y\n", &format!("format = 'parquet'\n{mapping}"));
    assert_eq!(stated, "is CSV; the key `format` says parquet");
}

#[cfg(not(feature = "gdal"))]
#[test]
fn what_only_gdal_reads_says_so() {
    let mapping = "id = 'id'\nlon = 'x'\nlat = 'y'";
    let cases: [(&[u8], &str); 4] = [
        (
            b"SQLite format 3\0",
            "is a GeoPackage or another SQLite database; build poimill with `--features gdal` to read it",
        ),
        (b"PK\x03\x04", "is a spreadsheet or another ZIP archive; build poimill with `--features gdal` to read it"),
        (b"fgb\x03fgb\x01", "is FlatGeobuf; build poimill with `--features gdal` to read it"),
        (b"\0\0\x27\x0a\0\0", "is a Shapefile; build poimill with `--features gdal` to read it"),
    ];
    for (bytes, message) in cases {
        assert_eq!(refused(bytes, mapping), message);
    }
    let crs = refused(b"id,x,y\n", &format!("crs = 'EPSG:2056'\n{mapping}"));
    assert!(crs.contains("the mapping says `crs`; build poimill with `--features gdal` to reproject"), "{crs}");
}

//! Columns: what the mapping may not say, and what the table must have.

use super::super::Mapping;
use super::{read, refused};

const HEADER: &str = "id,lon,lat,Name,kW,kW,Typ 1,Typ 2\n";

#[test]
fn a_column_that_is_not_there_is_told_before_any_work_with_the_nearest_name() {
    let position = "lon = 'lon'\nlat = 'lat'";
    let cases = [
        (
            format!("id = 'id'\n{position}\ntags = {{ name = 'nmae' }}"),
            "has no column `nmae`, which `tags.name` names (did you mean `Name`?); line 1 has `id`, `lon`, `lat`, `Name`, \
             `kW#1`, `kW#2`, `Typ 1`, `Typ 2`; list it in `optional` if it may be missing",
        ),
        (
            format!("id = 'id'\n{position}\nconnectors = [{{ repeat = 3, type = 'Typ {{n}}' }}]"),
            "has no column `Typ 3`, which `connectors[0].type` names (did you mean `Typ 1`?)",
        ),
        (
            format!("id = 'id'\n{position}\nwhere = {{ status = 'x' }}"),
            "has no column `status`, which `where` names; line 1 has",
        ),
        (
            format!("id = 'id'\n{position}\ntags = {{ power = 'kW' }}"),
            "has 2 columns `kW`, which `tags.power` names; write `kW#1` or `kW#2`",
        ),
        (position.to_owned(), "has no ids of its own; say in [source.table] which columns make one: id = \"…\""),
        ("id = 'id'".to_owned(), "has no geometry of its own; say in [source.table] where its rows are"),
    ];
    for (mapping, message) in cases {
        let told = refused(format!("{HEADER}a,1,2,x,1,2,,\n").as_bytes(), &mapping);
        assert!(told.starts_with(message), "{told}");
    }
    let told = refused(b"id;Breite;L\xe4nge\n", "id = 'id'\nlon = 'Länge'\nlat = 'Breite'");
    assert!(told.contains("no column `Länge`") && told.contains("encoding = \"windows-1252\""), "{told}");
}

#[test]
fn a_column_that_stands_twice_is_told_apart_and_one_may_be_missing() {
    let mapping = "id = 'id'\nlon = 'lon'\nlat = 'lat'\noptional = ['phone']\n\
                   tags = { first = 'kW#1', second = 'kW#2', phone = 'phone' }";
    assert_eq!(read(&format!("{HEADER}a,1,2,x,11,22,,\n"), mapping).tags(), ["a: first=11 second=22"]);
}

#[test]
fn a_mapping_that_cannot_be_meant_is_refused() {
    let cases = [
        ("idd = 'a'", "unknown field `idd`"),
        ("lon = 'x'", "say where a row is, in one way: lon and lat, or geometry"),
        ("lon = 'x'\nlat = 'y'\ngeometry = 'g'", "say where a row is, in one way"),
        ("id = []", "name at least one column"),
        ("id = { hash = [] }", "name at least one column"),
        ("id = { md5 = ['a'] }", "unknown field `md5`"),
        ("delimiter = ';;'", "`delimiter`: `;;` is not one character"),
        ("encoding = 'klingon'", "`klingon` is no encoding"),
        ("format = 'xls'", "unknown variant `xls`"),
        ("tags = { a = true }", "`tags.a`: true is for `\"*\"` only"),
        ("tags = { a = {} }", "say where it comes from, in one way"),
        ("tags = { a = { column = 'x', value = 'y' } }", "say where it comes from, in one way"),
        ("tags = { a = { column = 'x', az = 'kw' } }", "unknown field `az`"),
        ("tags = { a = { column = 'x', as = 'kilowatt' } }", "unknown variant `kilowatt`"),
        ("tags = { a = { column = 'x', join = ',' } }", "`join` goes with `columns`"),
        ("tags = { a = { column = 'x', item = 1 } }", "`item` goes with `split`"),
        ("tags = { a = { column = 'x', else = '' } }", "`else` goes with `map`"),
        ("tags = { a = { column = 'x', min = 5 } }", "`tags.a`: `min` and `max` go with numbers"),
        ("tags = { a = { column = 'x', as = 'kw', min = 5, max = 1 } }", "`min` is above `max`"),
        ("tags = { a = { column = 'x', as = 'boolean', max = 1 } }", "`min` and `max` go with numbers"),
        ("tags = { a = { column = 'x', as = 'kw', format = '%Y' } }", "`format` goes with dates"),
        ("tags = { a = { column = 'x', map = 'words' } }", "there is no table [source.table.lookups.words]"),
        ("tags = { a = { column = 'x', vocabulary = 'ocpi' } }", "`vocabulary` goes with the type of connectors only"),
        ("tags = { a = { from = 'x{day}' } }", "`from` and `to` go together"),
        ("tags = { a = { from = 'x', to = 'y' } }", "a column per weekday, with {day} in them"),
        ("tags = { a = { from = 'x{day}', to = 'y{day}', days = ['Mo'] } }", "`days` lists seven, from Monday"),
        ("updated = { column = 'x', as = 'kw' }", "`updated`: it is a date"),
        ("where = { a = [] }", "the list is empty"),
        ("where = { a = { nott = 'x' } }", "unknown field `nott`"),
        ("connectors = [{ repeat = 0, type = 'x' }]", "`repeat` is not between 1 and 1000"),
        ("connectors = [{ type = { value = 'type2_socket' } }]", "it names no column; say `when`"),
        ("connectors = [{ type = { column = 'x', map = { a = 'type_2' } } }]", "`type_2` is no type of connector"),
        ("connectors = [{ type = { column = 'x', vocabulary = 'afir' } }]", "`afir` is none of osm"),
        ("connectors = [{ type = 'x', current = { value = 'AC' } }]", "`AC` is none of ac_single, ac_three, dc"),
        (
            "connectors = [{ type = 'x', power = { column = 'y', as = 'date' } }]",
            "power, voltage, amperage and count are numbers",
        ),
        ("connectors = [{ type = 'x', kw = 'y' }]", "unknown field `kw`"),
    ];
    for (text, message) in cases {
        let error = toml::from_str::<Mapping>(text).expect_err(text).to_string();
        assert!(error.contains(message), "{text}\n{error}");
    }
}

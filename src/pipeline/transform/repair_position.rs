//! Repair position: a record gets one valid position, put right where the mistake is plain.
//!
//! Only points are repaired, and only where they stand cannot be meant: off the Earth, at 0, 0, on the line where latitude
//! and longitude are the same number, outside the country that the address names, or outside the region. What is meant may
//! be where its parts are, or a mirror image; it must lie in the country where one is stated, else in the region. Where
//! nothing better is found, a position in doubt stays and is found. With repairs switched off nothing moves, and the
//! finding says where it would have been moved to.

use geo::{CoordsIter, InteriorPoint};

use super::{Context, Draft, Dropped, countries};
use crate::domain::{
    Attributes, Feature, Finding, FindingRule, Hash16, LonLat, Record, RecordKey, Reject, RejectCode, Shape,
};

/// Closer to 0, 0 than this, in degrees, nobody has set the position.
const NULL_ISLAND_DEGREES: f64 = 1e-6;

/// A position, and what was found about it.
type Placed = (LonLat, Option<Finding>);

/// Why a position cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubt {
    OffEarth,
    NullIsland,
    EqualCoordinates,
    WrongCountry,
    OutsideRegion,
}

/// Begins the record of a feature, with its representative point: the point itself, or one inside the area.
pub(super) fn draft(dataset: usize, feature: Feature, context: &Context<'_>) -> Result<Draft, Dropped> {
    let found = match &feature.shape {
        Shape::Point(point) => of_point(*point, &feature, context),
        Shape::Area(area) => of_area(area).map(|position| (position, None)),
    };
    let (position, finding) = match found {
        Ok(found) => found,
        Err((code, message)) => {
            let position = match &feature.shape {
                Shape::Point(point) => Some((point.x(), point.y())),
                Shape::Area(area) => area.coords_iter().next().map(|coord| (coord.x, coord.y)),
            };
            let position = position.filter(|(lon, lat)| lon.is_finite() && lat.is_finite());
            let reject = Reject { record_id: feature.id, code, position, line: feature.line, message };
            return Err(Dropped::Rejected(reject));
        }
    };
    let footprint = match feature.shape {
        Shape::Point(_) => None,
        Shape::Area(area) => Some(area),
    };
    let record = Record {
        key: RecordKey { dataset, id: feature.id },
        position,
        footprint,
        attributes: Attributes { tags: feature.tags, connectors: feature.connectors, ..Attributes::default() },
        operator_key: None,
        external_ids: Vec::new(),
        update_time: feature.update_time,
        license: feature.license,
        raw: feature.raw,
        content_hash: Hash16([0; 16]),
        line: feature.line,
        duplicate_of: feature.duplicate_of,
        findings: feature.findings.into_iter().chain(finding).collect(),
        parts: Vec::new(),
    };
    Ok(Draft { record, kind: feature.kind })
}

/// Judges a point and, where it cannot be right, looks for what is meant.
fn of_point(point: geo::Point<f64>, feature: &Feature, context: &Context<'_>) -> Result<Placed, (RejectCode, String)> {
    let (lon, lat) = (point.x(), point.y());
    let region = context.region;
    let stated = LonLat::new(lon, lat);
    let country = feature.tags.get("addr:country").and_then(countries::code);
    // On the high seas no country speaks for or against a position; a region there was meant.
    let is_judged = |p: &LonLat| region.is_world() || !region.reads(*p) || !countries::is_nowhere(*p);
    let in_country = |p| {
        let code = country.as_deref().filter(|_| is_judged(&p))?;
        countries::holds(code, p)
    };
    let doubt = match stated {
        None => Some(Doubt::OffEarth),
        Some(_) if lon.abs() < NULL_ISLAND_DEGREES && lat.abs() < NULL_ISLAND_DEGREES => Some(Doubt::NullIsland),
        Some(_) if lon == lat => Some(Doubt::EqualCoordinates),
        Some(stated) => match in_country(stated) {
            Some(false) => Some(Doubt::WrongCountry),
            Some(true) => None,
            None => (!region.reads(stated)).then_some(Doubt::OutsideRegion),
        },
    };
    let Some(doubt) = doubt else { return Ok((stated.expect("no doubt about what is not on Earth"), None)) };

    let mirrored = [
        (lat, lon, FindingRule::SwappedPosition),
        (-lon, lat, FindingRule::SignOfLongitude),
        (lon, -lat, FindingRule::SignOfLatitude),
    ];
    // Of 0, 0 and of two equal numbers, no mirror image says anything new.
    let mirrored = mirrored.into_iter().filter(|_| !matches!(doubt, Doubt::NullIsland | Doubt::EqualCoordinates));
    let of_parts = feature.other_positions.iter().map(|part| (part.x(), part.y(), FindingRule::PositionOfPart));
    let meant = of_parts.chain(mirrored).find_map(|(lon, lat, rule)| {
        let position = LonLat::new(lon, lat)?;
        let is_other = Some(position) != stated && (lon != lat || doubt != Doubt::EqualCoordinates);
        // A mirror image proves little alone (Dubai mirrors Vilnius): the region or the country must speak for it.
        let fits = match in_country(position) {
            Some(fits) => fits && region.reads(position),
            None if rule == FindingRule::PositionOfPart || doubt == Doubt::OffEarth => region.reads(position),
            None => !region.is_world() && region.contains(position),
        };
        (is_other && fits).then_some((position, rule))
    });

    let before = told(lon, lat);
    match (meant, stated, doubt) {
        (Some((position, rule)), _, _) if context.repair_positions => {
            Ok((position, Some(Finding::replaced(rule, "geometry", before, told(position.lon(), position.lat())))))
        }
        (_, None, _) => Err((RejectCode::InvalidPosition, format!("longitude {lon}, latitude {lat} is not on Earth"))),
        (_, _, Doubt::NullIsland) => {
            Err((RejectCode::NullIsland, "the position is 0, 0, which nobody has set".to_owned()))
        }
        (meant, Some(stated), doubt) => {
            let rule = match doubt {
                Doubt::EqualCoordinates => Some(FindingRule::EqualCoordinates),
                Doubt::WrongCountry => Some(FindingRule::WrongCountry),
                // What lies elsewhere is not wrong for it, unless it would fit here otherwise.
                _ => meant.map(|_| FindingRule::PositionInDoubt),
            };
            let after = meant.map(|(position, _)| told(position.lon(), position.lat()).into());
            let finding = |rule| Finding { rule, field: "geometry".into(), before: Some(before.into()), after };
            Ok((stated, rule.map(finding)))
        }
    }
}

/// A position as findings tell it: longitude and latitude in degrees.
fn told(lon: f64, lat: f64) -> String {
    format!("{lon} {lat}")
}

/// A point inside an area. Nothing is repaired: a source of areas checks its positions.
fn of_area(area: &geo::MultiPolygon<f64>) -> Result<LonLat, (RejectCode, String)> {
    if let Some(outside) = area.coords_iter().find(|coord| LonLat::new(coord.x, coord.y).is_none()) {
        let message = format!("longitude {}, latitude {} of its outline is not on Earth", outside.x, outside.y);
        return Err((RejectCode::InvalidPosition, message));
    }
    let inside = area.interior_point().and_then(|point| LonLat::new(point.x(), point.y()));
    inside.ok_or((RejectCode::InvalidArea, "the area encloses nothing".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{area, feature, in_context};
    use super::*;
    use crate::domain::{BBox, Metres, Region};

    fn liechtenstein() -> Region {
        Region::from_bbox(BBox { xmin: 9.47, ymin: 47.04, xmax: 9.64, ymax: 47.28 }, Metres(500.0))
    }

    /// What becomes of a point in a region: its position and repair, or the code.
    fn outcome(region: &Region, lon: f64, lat: f64, tags: &str) -> Result<(f64, f64, &'static str), RejectCode> {
        let drafted = in_context(region, |context| draft(0, feature("7", lon, lat, tags), context));
        match drafted {
            Ok(draft) => {
                let repair = draft.record.findings.first().map_or("", |finding| finding.rule.name());
                Ok((draft.record.position.lon(), draft.record.position.lat(), repair))
            }
            Err(Dropped::Rejected(reject)) => Err(reject.code),
            Err(Dropped::LeftOut(rule)) => panic!("left out by {rule}"),
        }
    }

    #[test]
    fn a_plain_mistake_is_put_right_and_nothing_else() {
        let li = liechtenstein();
        let west = Region::from_bbox(BBox { xmin: -9.5, ymin: 36.9, xmax: -6.2, ymax: 42.2 }, Metres(0.0));
        let high_seas = Region::from_bbox(BBox { xmin: 6.4, ymin: 54.4, xmax: 6.6, ymax: 54.6 }, Metres(0.0));
        let world = Region::world();
        let dubai = Region::from_bbox(BBox { xmin: 54.5, ymin: 24.5, xmax: 56.0, ymax: 25.6 }, Metres(0.0));
        let cases = [
            (&li, 9.52, 47.14, "", Ok((9.52, 47.14, ""))),
            (&li, 47.14, 9.52, "", Ok((9.52, 47.14, "swapped_position"))),
            (&li, 47.14, 9.52, "addr:country=LI", Ok((9.52, 47.14, "swapped_position"))),
            (&li, -9.52, 47.14, "", Ok((9.52, 47.14, "sign_of_longitude"))),
            (&li, 9.52, -47.14, "", Ok((9.52, 47.14, "sign_of_latitude"))),
            (&west, 8.61, 41.15, "addr:country=PT", Ok((-8.61, 41.15, "sign_of_longitude"))),
            (&west, 8.61, 41.15, "addr:country=IT", Ok((8.61, 41.15, ""))), // Sardinia, where it says
            (&dubai, 25.28, 54.69, "addr:country=Lithuania", Ok((25.28, 54.69, ""))), // Vilnius, where it says
            (&dubai, 25.2, 55.27, "addr:country=AE", Ok((55.27, 25.2, "swapped_position"))),
            (&li, 13.4, 52.5, "", Ok((13.4, 52.5, ""))), // just elsewhere
            (&li, 0.0, 0.0, "", Err(RejectCode::NullIsland)),
            (&li, 0.000_000_5, -0.0, "", Err(RejectCode::NullIsland)),
            (&li, 0.0, 51.5, "", Ok((0.0, 51.5, ""))),
            (&li, f64::NAN, 47.0, "", Err(RejectCode::InvalidPosition)),
            (&li, 9.5, f64::INFINITY, "", Err(RejectCode::InvalidPosition)),
            (&li, 952.0, 47.14, "", Err(RejectCode::InvalidPosition)),
            (&li, 9.52, 47.14, "addr:country=AT", Ok((9.52, 47.14, "wrong_country"))),
            (&li, 9.52, 47.14, "addr:country=CH", Ok((9.52, 47.14, ""))), // at the border
            (&world, 47.14, 9.52, "addr:country=LI", Ok((9.52, 47.14, "swapped_position"))),
            (&world, 118.5, 34.05, "addr:country=US", Ok((-118.5, 34.05, "sign_of_longitude"))),
            (&world, 47.75, 47.75, "addr:country=RO", Ok((47.75, 47.75, "equal_coordinates"))),
            (&world, 47.75, 47.75, "", Ok((47.75, 47.75, "equal_coordinates"))),
            (&world, 55.45, -20.88, "addr:country=FR", Ok((55.45, -20.88, ""))), // Réunion
            (&high_seas, 6.5, 54.5, "addr:country=DE", Ok((6.5, 54.5, ""))),
            (&high_seas, 54.5, 6.5, "addr:country=DE", Ok((6.5, 54.5, "swapped_position"))),
            (&world, -30.0, 40.0, "addr:country=DE", Ok((-30.0, 40.0, "wrong_country"))), // at sea
        ];
        for (region, lon, lat, tags, expected) in cases {
            assert_eq!(outcome(region, lon, lat, tags), expected, "{lon} {lat} {tags}");
        }
    }

    #[test]
    fn in_a_world_region_only_what_is_off_the_earth_is_repaired() {
        let world = Region::world();
        assert_eq!(outcome(&world, 47.14, 9.52, ""), Ok((47.14, 9.52, "")));
        assert_eq!(outcome(&world, 47.14, 139.7, ""), Ok((139.7, 47.14, "swapped_position")));
        assert_eq!(outcome(&world, 200.0, 100.0, ""), Err(RejectCode::InvalidPosition));
    }

    #[test]
    fn a_part_says_where_a_place_is_that_cannot_be_where_it_says() {
        let placed = |lon, lat, part: (f64, f64)| {
            let mut station = feature("7", lon, lat, "addr:country=RO");
            station.other_positions = vec![geo::Point::new(lat, lat), geo::Point::new(part.0, part.1)];
            let drafted = in_context(&Region::world(), |context| draft(0, station, context));
            let record = drafted.map_err(|_| "it is dropped").expect("a draft").record;
            let told = record.findings.iter().map(|f| format!("{} {:?} {:?}", f.rule, f.before, f.after));
            (record.position.lon(), record.position.lat(), told.collect::<Vec<_>>().join("; "))
        };
        let (suceava, told) =
            ((26.66, 47.75), r#"position_of_part Some("47.75 47.75") Some("26.66 47.75")"#.to_owned());
        assert_eq!(placed(47.75, 47.75, suceava), (26.66, 47.75, told));
        assert_eq!(placed(26.5, 47.5, suceava), (26.5, 47.5, String::new()), "its own position may be right");
        let told = r#"equal_coordinates Some("47.75 47.75") None"#.to_owned();
        assert_eq!(placed(47.75, 47.75, (9.5, 47.1)), (47.75, 47.75, told), "the part is elsewhere too");
        let zero = placed(0.0, 0.0, suceava);
        assert_eq!((zero.0, zero.1), suceava);
    }

    #[test]
    fn switched_off_nothing_moves_and_the_finding_says_where_to() {
        let outcome = |lon, lat, tags: &str| {
            let drafted = in_context(&liechtenstein(), |context| {
                draft(0, feature("7", lon, lat, tags), &Context { repair_positions: false, ..*context })
            });
            match drafted {
                Ok(draft) => {
                    let told = draft.record.findings.iter().map(|f| format!("{} {:?}", f.rule, f.after));
                    format!(
                        "{} {} {}",
                        draft.record.position.lon(),
                        draft.record.position.lat(),
                        told.collect::<String>()
                    )
                }
                Err(Dropped::Rejected(reject)) => reject.code.to_string(),
                Err(Dropped::LeftOut(rule)) => rule.to_string(),
            }
        };
        assert_eq!(outcome(47.14, 9.52, ""), r#"47.14 9.52 position_in_doubt Some("9.52 47.14")"#);
        assert_eq!(outcome(47.14, 9.52, "addr:country=LI"), r#"47.14 9.52 wrong_country Some("9.52 47.14")"#);
        assert_eq!(outcome(9.52, 47.14, ""), "9.52 47.14 ");
        assert_eq!(outcome(47.14, 95.2, ""), "invalid_position");
    }

    #[test]
    fn a_reject_states_the_position_that_it_had() {
        let drafted = in_context(&liechtenstein(), |context| draft(0, feature("7", 952.0, 47.5, ""), context));
        let Err(Dropped::Rejected(reject)) = drafted else { panic!("it is rejected") };
        assert_eq!(reject.position, Some((952.0, 47.5)));
        assert_eq!(reject.message, "longitude 952, latitude 47.5 is not on Earth");
        let drafted = in_context(&liechtenstein(), |context| draft(0, feature("7", f64::NAN, 47.5, ""), context));
        let Err(Dropped::Rejected(reject)) = drafted else { panic!("it is rejected") };
        assert_eq!(reject.position, None);
    }

    #[test]
    fn an_area_is_represented_from_inside_and_kept() {
        let ring = [(9.5, 47.1), (9.6, 47.1), (9.6, 47.2), (9.59, 47.2), (9.59, 47.11), (9.5, 47.11)];
        let mut hook = feature("way/1", 0.0, 0.0, "");
        hook.shape = area(&ring);
        let record = in_context(&liechtenstein(), |context| draft(0, hook.clone(), context)).expect("a draft").record;
        let footprint = record.footprint.expect("the area is kept");
        assert_eq!(Shape::Area(footprint.clone()), hook.shape);
        assert!(geo::Contains::contains(&footprint, &geo::Point::from(record.position)));
        assert!(record.findings.is_empty());
    }

    #[test]
    fn a_bad_area_is_refused() {
        let cases = [
            (vec![(200.0, 0.0), (201.0, 0.0), (201.0, 1.0)], RejectCode::InvalidPosition),
            (vec![(47.1, 99.5), (47.2, 99.5), (47.2, 99.6)], RejectCode::InvalidPosition),
            (vec![], RejectCode::InvalidArea),
        ];
        for (ring, code) in cases {
            let mut bad = feature("way/1", 0.0, 0.0, "");
            bad.shape = area(&ring);
            let drafted = in_context(&liechtenstein(), |context| draft(0, bad, context));
            let Err(Dropped::Rejected(reject)) = drafted else { panic!("{ring:?} is rejected") };
            assert_eq!(reject.code, code);
        }
    }
}

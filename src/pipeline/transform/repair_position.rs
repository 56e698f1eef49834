//! Repair position: a record gets one valid position, put right where the mistake is plain.
//!
//! Only points are repaired, and only where they stand cannot be meant: off the Earth, or outside the region while the
//! repaired position is in it. A mirror image in the region proves little alone (Dubai mirrors Vilnius), so where
//! the record states a country whose bounds are known, they must hold the repaired position and not the stated one.

use geo::{CoordsIter, InteriorPoint};

use super::{Context, Draft, Dropped, countries};
use crate::domain::{
    Attributes, Feature, Finding, FindingRule, Hash16, LonLat, Record, RecordKey, Region, Reject, RejectCode, Shape,
    Tags,
};

/// Closer to 0, 0 than this, in degrees, nobody has set the position.
const NULL_ISLAND_DEGREES: f64 = 1e-6;

/// A position that was put right, with the name of the repair.
type Repaired = (LonLat, Option<FindingRule>);

/// Begins the record of a feature, with its representative point: the point itself, or one inside the area.
pub(super) fn draft(dataset: usize, feature: Feature, context: &Context<'_>) -> Result<Draft, Dropped> {
    let found = match &feature.shape {
        Shape::Point(point) => of_point(point.x(), point.y(), &feature.tags, context.region),
        Shape::Area(area) => of_area(area).map(|position| (position, None)),
    };
    let (position, repair) = match found {
        Ok(found) => found,
        Err((code, message)) => {
            let position = match &feature.shape {
                Shape::Point(point) => Some((point.x(), point.y())),
                Shape::Area(area) => area.coords_iter().next().map(|coord| (coord.x, coord.y)),
            };
            let position = position.filter(|(lon, lat)| lon.is_finite() && lat.is_finite());
            return Err(Dropped::Rejected(Reject {
                record_id: feature.id,
                code,
                position,
                line: feature.line,
                message,
            }));
        }
    };
    let repaired = repair.map(|rule| {
        let told = |position: (f64, f64)| format!("{} {}", position.0, position.1);
        let before =
            if let Shape::Point(point) = &feature.shape { told((point.x(), point.y())) } else { String::new() };
        Finding::replaced(rule, "geometry", before, told((position.lon(), position.lat())))
    });
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
        findings: feature.findings.into_iter().chain(repaired).collect(),
        parts: Vec::new(),
    };
    Ok(Draft { record, kind: feature.kind })
}

fn of_point(lon: f64, lat: f64, tags: &Tags, region: &Region) -> Result<Repaired, (RejectCode, String)> {
    if lon.abs() < NULL_ISLAND_DEGREES && lat.abs() < NULL_ISLAND_DEGREES {
        return Err((RejectCode::NullIsland, "the position is 0, 0, which nobody has set".to_owned()));
    }
    let Some(stated) = LonLat::new(lon, lat) else {
        return match LonLat::new(lat, lon).filter(|swapped| region.reads(*swapped)) {
            Some(swapped) => Ok((swapped, Some(FindingRule::SwappedPosition))),
            None => Err((RejectCode::InvalidPosition, format!("longitude {lon}, latitude {lat} is not on Earth"))),
        };
    };
    if region.reads(stated) {
        return Ok((stated, None));
    }
    let country = tags.get("addr:country").and_then(countries::code);
    let in_country = |p| country.as_deref().and_then(|code| countries::holds(code, p));
    let may_be_wrong = in_country(stated) != Some(true);
    let repairs = [
        (lat, lon, FindingRule::SwappedPosition),
        (-lon, lat, FindingRule::SignOfLongitude),
        (lon, -lat, FindingRule::SignOfLatitude),
    ];
    let repaired = repairs.into_iter().filter(|_| may_be_wrong).find_map(|(lon, lat, repair)| {
        let position = LonLat::new(lon, lat)?;
        (region.contains(position) && in_country(position) != Some(false)).then_some((position, Some(repair)))
    });
    Ok(repaired.unwrap_or((stated, None)))
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
    use crate::domain::{BBox, Metres};

    fn liechtenstein() -> Region {
        Region::from_bbox(BBox { xmin: 9.47, ymin: 47.04, xmax: 9.64, ymax: 47.28 }, Metres(500.0))
    }

    /// What becomes of a point in a region: its position and repair, or the code.
    fn outcome(region: &Region, lon: f64, lat: f64, tags: &str) -> Result<(f64, f64, &'static str), RejectCode> {
        let drafted = in_context(region, |context| draft(0, feature("7", lon, lat, tags), context));
        match drafted {
            Ok(draft) => {
                let repair = draft.record.repairs().first().copied().unwrap_or("");
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

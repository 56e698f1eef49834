//! Access and status: who may use it, at what cost, how many at once, and whether it works.

use super::{Context, Draft, Dropped};
use crate::domain::{Access, Status};

/// Keys that, set to `yes`, say where a thing is in its life; the first one counts.
const LIFECYCLE_KEYS: [(&str, Status); 8] = [
    ("demolished", Status::Removed),
    ("razed", Status::Removed),
    ("removed", Status::Removed),
    ("abandoned", Status::OutOfOrder),
    ("disused", Status::OutOfOrder),
    ("construction", Status::Construction),
    ("planned", Status::Planned),
    ("proposed", Status::Planned),
];

/// Fills access, fee, capacity and status. A status stays missing where nothing states it: being mapped is not working.
pub(super) fn step(mut draft: Draft, _: &Context<'_>) -> Result<Draft, Dropped> {
    let access = draft.take_read(&["access"], access);
    let fee = draft.take_read(&["fee"], fee);
    let capacity = draft.take_read(&["capacity"], |text| text.trim().parse::<i32>().ok().filter(|number| *number > 0));
    let operational = draft.take_read(&["operational_status"], status);
    let mut yes = |(key, status): &(&str, Status)| draft.take_read(&[key], |value| (value == "yes").then_some(*status));
    let by_key = LIFECYCLE_KEYS.iter().find_map(&mut yes);
    let attributes = &mut draft.record.attributes;
    (attributes.access, attributes.fee, attributes.capacity) = (access, fee, capacity);
    attributes.status = attributes.status.or(operational).or(by_key);
    Ok(draft)
}

fn access(text: &str) -> Option<Access> {
    match text.trim() {
        "yes" | "permissive" | "public" | "designated" => Some(Access::Public),
        "customers" => Some(Access::Customers),
        "permit" | "destination" | "residents" | "members" | "delivery" => Some(Access::Permit),
        "private" | "no" | "employees" | "emergency" | "military" => Some(Access::Private),
        _ => None,
    }
}

/// Whether there is a fee. `interval` and amounts say more than yes and stay in the tags.
fn fee(text: &str) -> Option<bool> {
    match text.trim() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

/// Our own names, and what OSM and its editors write in `operational_status`.
fn status(text: &str) -> Option<Status> {
    let name = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    let by_habit = match name.as_str() {
        "open" | "working" | "ok" | "in_use" | "active" | "good" => Some(Status::Operational),
        "limited" | "restricted" | "partially_working" | "needs_maintenance" => Some(Status::Partial),
        "closed" | "broken" | "defective" | "inoperative" | "out_of_service" | "not_operational"
        | "temporarily_closed" | "disused" | "abandoned" => Some(Status::OutOfOrder),
        "proposed" => Some(Status::Planned),
        "under_construction" => Some(Status::Construction),
        "demolished" | "razed" => Some(Status::Removed),
        _ => None,
    };
    Status::from_name(&name).or(by_habit)
}

#[cfg(test)]
mod tests {
    use super::super::tests::step_on;
    use super::*;

    #[test]
    fn status_comes_from_what_is_stated() {
        let cases = [
            ("operational_status=operational", Some(Status::Operational)),
            ("operational_status=Out of order", Some(Status::OutOfOrder)),
            ("operational_status=closed", Some(Status::OutOfOrder)),
            ("operational_status=partial", Some(Status::Partial)),
            ("operational_status=maybe", None),
            ("disused=yes", Some(Status::OutOfOrder)),
            ("disused=yes|demolished=yes", Some(Status::Removed)),
            ("disused=no", None),
            ("amenity=charging_station", None),
        ];
        for (tags, expected) in cases {
            assert_eq!(step_on(step, tags).attributes.status, expected, "{tags}");
        }
    }

    #[test]
    fn access_fee_and_capacity_are_read_or_stay_tags() {
        let cases = [
            ("access=yes|fee=no|capacity=3", Some(Access::Public), Some(false), Some(3), 0),
            ("access=permissive|fee=yes|capacity=12", Some(Access::Public), Some(true), Some(12), 0),
            ("access=customers|fee=interval|capacity=2;3", Some(Access::Customers), None, None, 2),
            ("access=permit|capacity=0", Some(Access::Permit), None, None, 1),
            ("access=private|capacity=-1", Some(Access::Private), None, None, 1),
            ("access=unknown|fee=2 EUR|capacity=99999999999", None, None, None, 3),
        ];
        for (tags, access, fee, capacity, left) in cases {
            let attributes = step_on(step, tags).attributes;
            assert_eq!((attributes.access, attributes.fee, attributes.capacity), (access, fee, capacity), "{tags}");
            assert_eq!(attributes.tags.iter().count(), left, "{tags}");
        }
    }
}

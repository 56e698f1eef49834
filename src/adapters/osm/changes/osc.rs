//! `OsmChange` XML 0.6, read as a stream: one change at a time, whatever the size of the file.
//!
//! Nothing in a file makes this grow: markup of more than [`MAX_MARKUP_BYTES`], an element with too many attributes and
//! an object with too many parts are refused, depth is fixed by the format, and entities are not expanded.
//!
//! Source: <https://wiki.openstreetmap.org/wiki/OsmChange>; attributes as in <https://wiki.openstreetmap.org/wiki/OSM_XML>.

use std::borrow::Cow;
use std::io::{self, BufRead, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::degrees::units_of;
use super::encode::{Body, Info, Kind, Member, Object};
use super::error::OscFault;
use crate::domain::Timestamp;

/// Longest tag, text or comment. OSM's own texts end at 255 characters.
const MAX_MARKUP_BYTES: u64 = 1 << 20;

/// Most attributes of an element. OSM knows ten.
const MAX_ATTRIBUTES: usize = 64;

/// Most tags, nodes or members of an object. OSM's limits are 5,000 tags, 2,000 nodes and 32,000 members.
const MAX_PARTS: usize = 1 << 20;

/// Ids and the like stay below this, so that the difference of two fits 64 bits.
const MAX_ID: i64 = 1 << 60;

/// What a diff does to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Create(Object),
    Modify(Object),
    Delete { kind: Kind, id: i64, version: Option<i32> },
}

/// The element that changes are in.
#[derive(Debug, Clone, Copy)]
enum Action {
    Create,
    Modify,
    Delete,
}

/// Hands on every change of a file, in its order.
///
/// # Errors
///
/// When it is no `OsmChange` file, or a broken one; with the offset in the inflated text. What was handed on is then void.
pub(super) fn read_osc(input: impl BufRead, mut take: impl FnMut(Change)) -> Result<(), (u64, OscFault)> {
    let mut xml = Reader::from_reader(Bounded { inner: input, left: 0 });
    xml.config_mut().expand_empty_elements = true;
    let mut buffer = Vec::new();
    let mut place = Place::default();
    loop {
        buffer.clear();
        xml.get_mut().left = MAX_MARKUP_BYTES;
        let event = xml.read_event_into(&mut buffer);
        let fault = match event {
            Ok(Event::Eof) => return place.end().map_err(|fault| (xml.buffer_position(), fault)),
            Ok(event) => place.step(&event, &mut take).err(),
            Err(_) if xml.get_mut().left == 0 => Some(OscFault::TooLong),
            Err(error) => Some(error.into()),
        };
        if let Some(fault) = fault {
            return Err((xml.buffer_position(), fault));
        }
    }
}

/// Where in the file the reader is.
#[derive(Default)]
struct Place {
    /// Whether `osmChange` was opened, and closed.
    opened: bool,
    closed: bool,
    action: Option<Action>,
    draft: Option<Draft>,
    /// Within an element that has no elements of its own.
    leaf: bool,
}

/// An object of which more may follow.
struct Draft {
    name: &'static str,
    object: Object,
    deleted: bool,
}

impl Place {
    fn step(&mut self, event: &Event<'_>, take: &mut impl FnMut(Change)) -> Result<(), OscFault> {
        match event {
            Event::Start(element) => self.start(element)?,
            // The parser sees to it that what ends is what began last, and makes two of an empty element.
            Event::End(_) => {
                if self.leaf {
                    self.leaf = false;
                } else if let Some(draft) = self.draft.take() {
                    take(draft.into_change(self.action));
                } else if self.action.take().is_none() {
                    self.closed = true;
                }
            }
            Event::Decl(declaration) => {
                if let Some(encoding) = declaration.encoding().transpose().unwrap_or_default()
                    && !encoding.eq_ignore_ascii_case("utf-8")
                {
                    return Err(OscFault::Encoding { encoding: short(&encoding) });
                }
            }
            Event::Text(text) if !text.trim().is_empty() => return Err(OscFault::Text),
            Event::CData(_) | Event::GeneralRef(_) | Event::DocType(_) => return Err(OscFault::Text),
            Event::Text(_) | Event::Comment(_) | Event::PI(_) | Event::Empty(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn start(&mut self, element: &BytesStart<'_>) -> Result<(), OscFault> {
        let tag = element.name();
        let name: &str = tag.as_ref();
        let unknown = |within| Err(OscFault::Unknown { element: short(name), within });
        if self.closed {
            return unknown("nothing");
        }
        if !self.opened {
            return self.root(name, element);
        }
        if self.leaf {
            return unknown("an element that has none");
        }
        let Some(action) = self.action else {
            match name {
                "create" => self.action = Some(Action::Create),
                "modify" => self.action = Some(Action::Modify),
                "delete" => self.action = Some(Action::Delete),
                "bounds" | "bound" => self.leaf = true,
                _ => return unknown("<osmChange>"),
            }
            return Ok(());
        };
        let Some(draft) = &mut self.draft else {
            match name {
                "node" => self.draft = Some(Draft::new("node", element, action)?),
                "way" => self.draft = Some(Draft::new("way", element, action)?),
                "relation" => self.draft = Some(Draft::new("relation", element, action)?),
                "bounds" | "bound" => self.leaf = true,
                _ => return unknown("<create>, <modify> or <delete>"),
            }
            return Ok(());
        };
        self.leaf = true;
        draft.part(name, element)
    }

    fn root(&mut self, name: &str, element: &BytesStart<'_>) -> Result<(), OscFault> {
        if name != "osmChange" {
            return Err(OscFault::NotChanges { found: short(name) });
        }
        let mut version = None;
        each_attribute(element, |key, value| {
            if key == "version" {
                version = Some(short(value));
            }
            Ok(())
        })?;
        match version.as_deref() {
            Some("0.6") => self.opened = true,
            version => return Err(OscFault::Version { version: version.unwrap_or("(none)").to_owned() }),
        }
        Ok(())
    }

    /// Judges that nothing more comes.
    fn end(&self) -> Result<(), OscFault> {
        match (self.opened, self.closed) {
            (_, true) => Ok(()),
            (true, false) => Err(OscFault::CutOff),
            (false, false) => Err(OscFault::Empty),
        }
    }
}

impl Draft {
    fn new(name: &'static str, element: &BytesStart<'_>, action: Action) -> Result<Self, OscFault> {
        let (mut id, mut lon, mut lat) = (None, None, None);
        let mut info = Info::default();
        let mut deleted = matches!(action, Action::Delete);
        each_attribute(element, |key, value| {
            let wrong = || OscFault::Value { element: name, attribute: key.to_owned(), value: short(value) };
            match key {
                "id" => id = Some(whole(value).ok_or_else(wrong)?),
                "version" => info.version = Some(value.parse().map_err(|_| wrong())?).filter(|version| *version > 0),
                "timestamp" => {
                    info.time_s = Some(value.parse::<Timestamp>().map_err(|_| wrong())?.as_second());
                }
                "changeset" => info.changeset = Some(whole(value).ok_or_else(wrong)?).filter(|id| *id > 0),
                // Below zero: nobody.
                "uid" => info.uid = Some(value.parse().map_err(|_| wrong())?).filter(|uid| *uid > 0),
                "user" => info.user = Some(value).filter(|user| !user.is_empty()).map(Into::into),
                "visible" => deleted |= value == "false",
                "lon" => lon = Some(units_of(value).ok_or_else(wrong)?),
                "lat" => lat = Some(units_of(value).ok_or_else(wrong)?),
                _ => {}
            }
            Ok(())
        })?;
        let missing = |attribute| OscFault::Missing { element: name, attribute };
        let body = match name {
            // A node that goes need not say where it was.
            "node" if deleted => Body::Node { lon: 0, lat: 0 },
            "node" => Body::Node { lon: lon.ok_or(missing("lon"))?, lat: lat.ok_or(missing("lat"))? },
            "way" => Body::Way(Vec::new()),
            _ => Body::Relation(Vec::new()),
        };
        Ok(Self { name, object: Object { id: id.ok_or(missing("id"))?, info, tags: Vec::new(), body }, deleted })
    }

    /// Takes an element within the object's.
    fn part(&mut self, name: &str, element: &BytesStart<'_>) -> Result<(), OscFault> {
        let parts = match (name, &mut self.object.body) {
            ("tag", _) => {
                let (mut key, mut value) = (None, None);
                each_attribute(element, |name, text| {
                    match name {
                        "k" => key = Some(text.into()),
                        "v" => value = Some(text.into()),
                        _ => {}
                    }
                    Ok(())
                })?;
                let missing = |attribute| OscFault::Missing { element: "tag", attribute };
                self.object.tags.push((key.ok_or(missing("k"))?, value.ok_or(missing("v"))?));
                self.object.tags.len()
            }
            ("nd", Body::Way(refs)) => {
                let mut node = None;
                each_attribute(element, |name, text| {
                    if name == "ref" {
                        node = Some(whole(text).ok_or_else(|| OscFault::reference("nd", text))?);
                    }
                    Ok(())
                })?;
                refs.push(node.ok_or(OscFault::Missing { element: "nd", attribute: "ref" })?);
                refs.len()
            }
            ("member", Body::Relation(members)) => {
                members.push(member(element)?);
                members.len()
            }
            _ => return Err(OscFault::Unknown { element: short(name), within: "an object" }),
        };
        if parts > MAX_PARTS { Err(OscFault::TooMany { element: self.name }) } else { Ok(()) }
    }

    fn into_change(self, action: Option<Action>) -> Change {
        let object = self.object;
        match action {
            _ if self.deleted => Change::Delete { kind: object.kind(), id: object.id, version: object.info.version },
            Some(Action::Create) => Change::Create(object),
            _ => Change::Modify(object),
        }
    }
}

fn member(element: &BytesStart<'_>) -> Result<Member, OscFault> {
    let (mut kind, mut id, mut role) = (None, None, "".into());
    each_attribute(element, |name, text| {
        match name {
            "type" => {
                kind = Some(match text {
                    "node" => Kind::Node,
                    "way" => Kind::Way,
                    "relation" => Kind::Relation,
                    _ => {
                        return Err(OscFault::Value {
                            element: "member",
                            attribute: "type".to_owned(),
                            value: short(text),
                        });
                    }
                });
            }
            "ref" => id = Some(whole(text).ok_or_else(|| OscFault::reference("member", text))?),
            "role" => role = text.into(),
            _ => {}
        }
        Ok(())
    })?;
    let missing = |attribute| OscFault::Missing { element: "member", attribute };
    Ok(Member { kind: kind.ok_or(missing("type"))?, id: id.ok_or(missing("ref"))?, role })
}

/// Shows the attributes of an element.
fn each_attribute(
    element: &BytesStart<'_>,
    mut show: impl FnMut(&str, &str) -> Result<(), OscFault>,
) -> Result<(), OscFault> {
    for (at, attribute) in element.attributes().enumerate() {
        let attribute = attribute.map_err(quick_xml::Error::from)?;
        // The search for doubles compares each with each.
        if at == MAX_ATTRIBUTES {
            return Err(OscFault::TooLong);
        }
        let value: Cow<'_, str> = attribute.normalized_value(XmlVersion::Implicit1_0)?;
        show(attribute.key.as_ref(), &value)?;
    }
    Ok(())
}

fn whole(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.abs() <= MAX_ID)
}

/// The beginning of a text, as much as a message should carry.
pub(super) fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// A reader that ends with an error after so many bytes, unless it is told again how many.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let available = self.inner.fill_buf()?;
        Ok(&available[..available.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))])
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes as u64);
        self.inner.consume(bytes);
    }
}

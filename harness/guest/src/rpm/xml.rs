// SPDX-License-Identifier: MIT OR Apache-2.0
//! XML as repositories write it, read as a stream of elements.

use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Longest text of one element; more is not from a repository.
const MAX_TEXT: usize = 1 << 20;

/// What is met on the way through a document.
#[derive(Debug)]
pub(super) enum Item<'a> {
    /// An element begins.
    Begin(Element<'a>),
    /// An element ends: its name and its own text since the last element inside it.
    End(&'a str, &'a str),
}

/// The beginning of an element.
#[derive(Debug)]
pub(super) struct Element<'a> {
    /// Name without prefix.
    pub(super) name: &'a str,
    start: &'a BytesStart<'a>,
}

impl Element<'_> {
    /// The value of an attribute, by its name without prefix.
    pub(super) fn attribute(&self, name: &str) -> Option<String> {
        let found =
            self.start.attributes().flatten().find(|it| it.key.local_name().as_ref() == name);
        Some(found?.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.into_owned())
    }

    /// A number.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        self.attribute(name)?.parse().ok()
    }
}

/// Shows every element to `visit`, in the order of the document.
pub(super) fn walk(
    source: impl BufRead,
    visit: &mut dyn FnMut(Item<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut reader = Reader::from_reader(source);
    let (mut buffer, mut text, mut depth) = (Vec::new(), String::new(), 0_u32);
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
            Event::Start(start) => {
                text.clear();
                depth += 1;
                let name = start.local_name();
                visit(Item::Begin(Element { name: name.as_ref(), start: &start }))?;
            }
            Event::Empty(start) => {
                let name = start.local_name();
                visit(Item::Begin(Element { name: name.as_ref(), start: &start }))?;
                visit(Item::End(name.as_ref(), ""))?;
            }
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                visit(Item::End(end.local_name().as_ref(), &text))?;
                text.clear();
            }
            Event::Text(part) => text.push_str(&part.into_inner()),
            Event::CData(part) => text.push_str(&part.into_inner()),
            Event::GeneralRef(part) => text.push_str(&reference(&part)),
            Event::Eof if depth == 0 => return Ok(()),
            Event::Eof => return Err("it ends in the middle of an element".to_owned()),
            _ => {}
        }
        if text.len() > MAX_TEXT {
            return Err("it has an element with too much text".to_owned());
        }
    }
}

/// What `&name;` or `&#number;` stands for.
fn reference(part: &quick_xml::events::BytesRef<'_>) -> String {
    if let Ok(Some(character)) = part.resolve_char_ref() {
        return character.to_string();
    }
    let name = part.xml10_content();
    quick_xml::escape::resolve_predefined_entity(&name).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Result<Vec<String>, String> {
        let mut items = Vec::new();
        walk(text.as_bytes(), &mut |item| {
            items.push(match item {
                Item::Begin(it) => format!("<{} {:?}", it.name, it.attribute("a")),
                Item::End(name, text) => format!("{name}>{text}"),
            });
            Ok(())
        })?;
        Ok(items)
    }

    #[test]
    fn elements_come_with_their_texts_and_attributes() {
        let text = "<?xml version='1.0'?><x:r><e a='1 &lt; 2'/><t>a &amp; b&#33;</t></x:r>";
        assert_eq!(
            listed(text).unwrap(),
            ["<r None", "<e Some(\"1 < 2\")", "e>", "<t None", "t>a & b!", "r>"]
        );
    }

    #[test]
    fn a_document_that_is_cut_off_or_no_document_is_an_error() {
        assert!(listed("<r><e>").is_err());
        assert!(listed("<r></e>").is_err());
        assert!(listed("<r").is_err());
    }
}

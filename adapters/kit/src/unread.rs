//! Fields of a request that no handler read: an ignored field is how compatibility silently breaks.

use http::Response;
use parking_lot::Mutex;

use crate::Body;

/// Most field names that are kept of one request; further ones are not counted.
const MOST: usize = 32;
/// Most bytes that are kept of one name.
const LONGEST: usize = 64;

/// What one request carries, and what of it has been looked at.
#[derive(Debug, Default)]
pub struct Reading(Mutex<Vec<Carried>>);

#[derive(Debug)]
struct Carried {
    name: String,
    read: bool,
}

impl Reading {
    /// The request has this field; reported again when a body is parsed twice.
    pub fn carries(&self, name: &str) {
        let mut names = self.0.lock();
        if names.len() < MOST && !names.iter().any(|other| other.name == name) {
            names.push(Carried { name: short(name), read: false });
        }
    }

    /// A handler looks for this field, whether it is there or not.
    pub fn reads(&self, name: &str) {
        for carried in self.0.lock().iter_mut().filter(|carried| carried.name == name) {
            carried.read = true;
        }
    }

    /// The fields that no handler read.
    pub fn unread(&self) -> Unread {
        Unread(self.0.lock().iter().filter(|carried| !carried.read).map(|carried| carried.name.clone()).collect())
    }
}

/// The names of request fields that no handler read; attached to the response for the metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread(Vec<String>);

impl Unread {
    /// These names: the first few, and the beginning of long ones.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for name in names {
            if kept.len() == MOST {
                break;
            }
            if !kept.iter().any(|other| other == name) {
                kept.push(short(name));
            }
        }
        Self(kept)
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Attaches them to the response for the gateway; they are not sent to the client.
    pub fn go_with(self, answer: &mut Response<Body>) {
        if !self.0.is_empty() {
            answer.extensions_mut().insert(self);
        }
    }
}

fn short(name: &str) -> String {
    let end = (0..=LONGEST.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_read_are_not_reported() {
        let reading = Reading::default();
        for name in ["a", "b", "a"] {
            reading.carries(name);
        }
        reading.reads("a");
        reading.reads("c");
        reading.carries("a");
        assert_eq!(reading.unread().names(), ["b"]);
    }

    #[test]
    fn what_is_kept_of_a_request_is_bounded() {
        let reading = Reading::default();
        let names: Vec<String> = (0..1000).map(|number| format!("{number}{}", "é".repeat(1000))).collect();
        for name in &names {
            reading.carries(name);
        }
        for unread in [reading.unread(), Unread::of(names.iter().map(String::as_str))] {
            assert_eq!(unread.names().len(), MOST);
            assert!(unread.names().iter().all(|name| name.len() <= LONGEST && name.contains('é')));
        }
    }
}

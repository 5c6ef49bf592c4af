//! Length checks of a group's texts.

use crate::dialect::limits::Lengths;
use crate::refusals::{Code, Failure};

/// The texts of the request.
pub(super) struct Texts<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) introduction: Option<&'a str>,
    pub(super) notification: Option<&'a str>,
    pub(super) face_url: Option<&'a str>,
}

impl Texts<'_> {
    /// Refuses the first text that is too long, with the text of the real service where it is known.
    pub(super) fn check(&self, lengths: Lengths) -> Result<(), Failure> {
        for (text, longest, complaint) in [
            (self.name, lengths.name, "group name is too long"),
            (self.introduction, lengths.introduction, "introduction is too long"),
            (self.notification, lengths.notification, "notification is too long"),
            (self.face_url, lengths.face_url, "face url is too long"),
        ] {
            if text.is_some_and(|text| text.len() > longest) {
                return Err(Code::Parameter.saying(complaint));
            }
        }
        Ok(())
    }
}

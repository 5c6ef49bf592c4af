//! Limits on the lengths of a group's texts.

use crate::refusals::{self, Failure};
use crate::settings::Settings;

/// A text of a group with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Groupname,
    Description,
    Avatar,
    Custom,
}

/// Refuses a text that is too long. The vendor publishes the error text for the avatar; the others follow it.
pub(crate) fn check(settings: &Settings, text: Text, value: &str) -> Result<(), Failure> {
    let (name, length, most) = match text {
        Text::Groupname => ("groupname", value.chars().count(), settings.groupname_chars),
        Text::Description => ("description", value.chars().count(), settings.description_chars),
        Text::Avatar => ("avatar", value.chars().count(), settings.avatar_chars),
        Text::Custom => ("custom", value.len(), settings.custom_bytes),
    };
    if length > most {
        return Err(refusals::invalid(format!("{name} length is too big")));
    }
    Ok(())
}

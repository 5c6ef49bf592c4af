//! How long the texts of a group may be.

use crate::refusals::{self, Failure};
use crate::settings::Settings;

/// A text of a group that has a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    Groupname,
    Description,
    Avatar,
    Custom,
}

/// Refuses a text that is too long. The vendor publishes the words for the avatar; its neighbours follow.
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

//! The content of a message that is neither a text nor the app's own, in neutral terms: what more than one vendor has.

use serde::{Deserialize, Serialize};

/// A file outside of the group, which anybody who has its URL can download.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MediaFile {
    /// The URL, complete with any secret that opens the file.
    pub url: String,
    /// Its name; "" is unknown.
    pub name: String,
    /// Its size in bytes; 0 is unknown.
    pub bytes: u64,
}

/// Width and height of a picture in pixels; 0 is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Dimensions {
    /// The width.
    pub width: u32,
    /// The height.
    pub height: u32,
}

/// The content of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// A picture.
    Image {
        /// The picture.
        file: MediaFile,
        /// Its size.
        dimensions: Dimensions,
        /// Whether it moves.
        animated: bool,
        /// A small version, as a JPEG in base64; "" is none.
        thumbnail: String,
    },
    /// A recording.
    Audio {
        /// The recording.
        file: MediaFile,
        /// Its length in seconds.
        seconds: u32,
    },
    /// A video.
    Video {
        /// The video.
        file: MediaFile,
        /// Its length in seconds.
        seconds: u32,
        /// The size of its still picture.
        dimensions: Dimensions,
        /// The URL of a still picture; "" is none.
        still_url: String,
        /// A still picture, as a JPEG in base64; "" is none.
        thumbnail: String,
    },
    /// Any other file.
    File(MediaFile),
    /// A place.
    Location {
        /// Degrees, as a decimal number.
        latitude: String,
        /// Degrees, as a decimal number.
        longitude: String,
        /// Where it is.
        address: String,
        /// What it is called; "" is nothing.
        name: String,
    },
    /// A command to the receiving app, which users do not see.
    Command {
        /// The command.
        name: String,
        /// Its parameters, uninterpreted; "" is none.
        data: String,
    },
}

impl MediaFile {
    fn texts(&self) -> [&str; 2] {
        [&self.url, &self.name]
    }
}

impl Content {
    /// All texts in it.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Image { file, thumbnail, .. } => [&file.texts()[..], &[thumbnail.as_str()]].concat(),
            Self::Audio { file, .. } | Self::File(file) => file.texts().to_vec(),
            Self::Video { file, still_url, thumbnail, .. } => {
                [&file.texts()[..], &[still_url.as_str(), thumbnail.as_str()]].concat()
            }
            Self::Location { latitude, longitude, address, name } => vec![latitude, longitude, address, name],
            Self::Command { name, data } => vec![name, data],
        }
    }
}

//! Pictures, recordings, videos, files, places and commands: this vendor's messages from and to neutral terms.
//!
//! Source: the vendor's documentation of message types, and its web SDK's types for the names of the fields.

use conclave_core::model::{Content, Dimensions, MediaFile};
use serde_json::{Value, json};

const IMAGE: &str = "RC:ImgMsg";
const GIF: &str = "RC:GIFMsg";
const VOICE: &str = "RC:HQVCMsg";
const SIGHT: &str = "RC:SightMsg";
const FILE: &str = "RC:FileMsg";
const LOCATION: &str = "RC:LBSMsg";
/// A command to the receiving app. It is not stored and does not count as unread.
pub(crate) const COMMAND: &str = "RC:CmdMsg";

/// A message's content in neutral terms; `None` for other types, and where the file has no URL, such as recordings that
/// are sent within the message (`RC:VcMsg`).
pub(crate) fn neutral(object_name: &str, content: &Value) -> Option<Content> {
    let text = |name: &str| content[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| content[name].as_u64().unwrap_or_default();
    let file = |url: &str, bytes: &str| {
        let url = text(url);
        (!url.is_empty()).then(|| MediaFile { url, name: text("name"), bytes: number(bytes) })
    };
    let dimensions = || Dimensions { width: whole(&content["width"]), height: whole(&content["height"]) };
    let seconds = || whole(&content["duration"]);
    Some(match object_name {
        IMAGE => Content::Image {
            file: file("imageUri", "size")?,
            dimensions: dimensions(),
            animated: false,
            thumbnail: text("content"),
        },
        GIF => Content::Image {
            file: file("remoteUrl", "gifDataSize")?,
            dimensions: dimensions(),
            animated: true,
            thumbnail: String::new(),
        },
        VOICE => Content::Audio { file: file("remoteUrl", "size")?, seconds: seconds() },
        SIGHT => Content::Video {
            file: file("sightUrl", "size")?,
            seconds: seconds(),
            dimensions: dimensions(),
            still_url: String::new(),
            thumbnail: text("content"),
        },
        FILE => Content::File(file("fileUrl", "size")?),
        LOCATION => Content::Location {
            latitude: content["latitude"].as_number()?.to_string(),
            longitude: content["longitude"].as_number()?.to_string(),
            address: text("poi"),
            name: String::new(),
        },
        COMMAND => Content::Command { name: text("name"), data: text("data") },
        _ => return None,
    })
}

/// The type and the content of a message for content of another vendor.
pub(crate) fn object(content: &Content) -> (&'static str, Value) {
    match content {
        Content::Image { file, dimensions: Dimensions { width, height }, animated: true, .. } => (
            GIF,
            json!({
                "remoteUrl": file.url, "gifDataSize": file.bytes, "width": width, "height": height, "name": file.name,
            }),
        ),
        Content::Image { file, thumbnail, .. } => {
            (IMAGE, json!({"content": thumbnail, "imageUri": file.url, "name": file.name}))
        }
        Content::Audio { file, seconds } => (
            VOICE,
            json!({"remoteUrl": file.url, "duration": seconds, "name": file.name, "type": extension(&file.name)}),
        ),
        Content::Video { file, seconds, thumbnail, .. } => (
            SIGHT,
            json!({
                "sightUrl": file.url, "content": thumbnail, "duration": seconds, "size": file.bytes, "name": file.name,
            }),
        ),
        Content::File(file) => {
            (FILE, json!({"name": file.name, "size": file.bytes, "type": extension(&file.name), "fileUrl": file.url}))
        }
        Content::Location { latitude, longitude, address, name } => {
            let degrees = |text: &str| text.parse::<serde_json::Number>().ok();
            let parts: Vec<&str> = [name.as_str(), address].into_iter().filter(|part| !part.is_empty()).collect();
            (
                LOCATION,
                json!({
                    "latitude": degrees(latitude),
                    "longitude": degrees(longitude),
                    "poi": parts.join(", "),
                    "content": "",
                }),
            )
        }
        Content::Command { name, data } => (COMMAND, json!({"name": name, "data": data})),
    }
}

fn whole(value: &Value) -> u32 {
    let number = value.as_f64().unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what does not fit is cut")]
    let whole = number.round() as u32;
    whole
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_in_neutral_terms_and_back() {
        let file = || MediaFile { url: "https://h/f".to_owned(), name: "a.b".to_owned(), bytes: 7 };
        let unsized_file = || MediaFile { bytes: 0, ..file() };
        let (none, some) = (Dimensions::default(), Dimensions { width: 3, height: 4 });
        let text = str::to_owned;
        for content in [
            Content::Image { file: unsized_file(), dimensions: none, animated: false, thumbnail: text("/9j/") },
            Content::Image { file: file(), dimensions: some, animated: true, thumbnail: text("") },
            Content::Audio { file: unsized_file(), seconds: 9 },
            Content::Video { file: file(), seconds: 9, dimensions: none, still_url: text(""), thumbnail: text("/9j/") },
            Content::File(file()),
            Content::Location {
                latitude: text("39.5"),
                longitude: text("-116"),
                address: text("Quai 1"),
                name: text(""),
            },
            Content::Command { name: text("go"), data: text("1") },
        ] {
            let (object_name, object) = object(&content);
            assert_eq!(neutral(object_name, &object), Some(content));
        }
    }

    #[test]
    fn files_without_a_url_have_no_neutral_form() {
        for kind in [IMAGE, GIF, VOICE, SIGHT, FILE, LOCATION, "RC:VcMsg"] {
            assert_eq!(neutral(kind, &json!({"content": "/9j/", "duration": 3})), None, "{kind}");
        }
    }
}

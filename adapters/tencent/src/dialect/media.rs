//! Pictures, recordings, videos, files and places: this vendor's elements from and to neutral terms.
//!
//! Source: the vendor's documentation of message elements, and its web SDK for the names of the fields.

use conclave_core::model::{Content, Dimensions, MediaFile};
use serde_json::{Value, json};

use super::message::custom;

const IMAGE: &str = "TIMImageElem";
const SOUND: &str = "TIMSoundElem";
const VIDEO: &str = "TIMVideoFileElem";
const FILE: &str = "TIMFileElem";
const LOCATION: &str = "TIMLocationElem";

/// The variants of a picture (`Type`): clients download all from a URL of their own.
mod variant {
    pub(super) const ORIGINAL: u64 = 1;
    pub(super) const LARGE: u64 = 2;
    pub(super) const THUMBNAIL: u64 = 3;
}

/// `ImageFormat`, by the end of a file's name.
const FORMATS: [(&str, u32); 5] = [(".jpg", 1), (".jpeg", 1), (".gif", GIF), (".png", 3), (".bmp", 4)];
const GIF: u32 = 2;
const UNKNOWN_FORMAT: u32 = 255;
/// `Download_Flag`: the file is downloaded from its URL.
const BY_URL: u32 = 2;

/// An element's content in neutral terms; `None` for other elements, and where the file has no URL.
pub(crate) fn neutral(kind: &str, content: &Value) -> Option<Content> {
    let text = |name: &str| content[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| content[name].as_u64().unwrap_or_default();
    let file = |url: &str, name: String, bytes: &str| {
        let url = text(url);
        (!url.is_empty()).then(|| MediaFile { url, name, bytes: number(bytes) })
    };
    Some(match kind {
        IMAGE => {
            let variants = content["ImageInfoArray"].as_array()?;
            let original = variants.iter().find(|variant| variant["Type"] == variant::ORIGINAL);
            let picture = original.or(variants.first())?;
            let url = picture["URL"].as_str().filter(|url| !url.is_empty())?.to_owned();
            let format = content["ImageFormat"].as_u64();
            Content::Image {
                file: MediaFile { url, name: String::new(), bytes: picture["Size"].as_u64().unwrap_or_default() },
                dimensions: Dimensions { width: whole(&picture["Width"]), height: whole(&picture["Height"]) },
                animated: format == Some(GIF.into()),
                thumbnail: String::new(),
            }
        }
        SOUND => Content::Audio { file: file("Url", String::new(), "Size")?, seconds: whole(&content["Second"]) },
        VIDEO => Content::Video {
            file: file("VideoUrl", String::new(), "VideoSize")?,
            seconds: whole(&content["VideoSecond"]),
            dimensions: Dimensions { width: whole(&content["ThumbWidth"]), height: whole(&content["ThumbHeight"]) },
            still_url: text("ThumbUrl"),
            thumbnail: String::new(),
        },
        FILE => Content::File(file("Url", text("FileName"), "FileSize")?),
        LOCATION => Content::Location {
            latitude: content["Latitude"].as_number()?.to_string(),
            longitude: content["Longitude"].as_number()?.to_string(),
            address: text("Desc"),
            name: String::new(),
        },
        _ => return None,
    })
}

/// The element for content of another vendor. `id` is the message's, in place of the id that a file has in this vendor's
/// storage. A command becomes a custom element: clients show none that their app does not know.
pub(crate) fn element(content: &Content, id: &str) -> Value {
    let (kind, content) = match content {
        Content::Image { file, dimensions: Dimensions { width, height }, animated, .. } => {
            let variants = [variant::ORIGINAL, variant::LARGE, variant::THUMBNAIL].map(
                |kind| json!({"Type": kind, "Size": file.bytes, "Width": width, "Height": height, "URL": file.url}),
            );
            let format = if *animated { GIF } else { format_of(&file.name) };
            (IMAGE, json!({"UUID": id, "ImageFormat": format, "ImageInfoArray": variants}))
        }
        Content::Audio { file, seconds } => (
            SOUND,
            json!({
                "UUID": id, "Url": file.url, "Size": file.bytes, "Second": seconds, "Download_Flag": BY_URL,
            }),
        ),
        Content::Video { file, seconds, dimensions, still_url, .. } => (
            VIDEO,
            json!({
                "VideoUUID": id,
                "VideoUrl": file.url,
                "VideoSize": file.bytes,
                "VideoSecond": seconds,
                "VideoFormat": extension(&file.name).unwrap_or("mp4"),
                "VideoDownloadFlag": BY_URL,
                "ThumbUUID": id,
                "ThumbUrl": still_url,
                "ThumbSize": 0,
                "ThumbWidth": dimensions.width,
                "ThumbHeight": dimensions.height,
                "ThumbFormat": "JPG",
                "ThumbDownloadFlag": BY_URL,
            }),
        ),
        Content::File(file) => (
            FILE,
            json!({
                "UUID": id, "Url": file.url, "FileSize": file.bytes, "FileName": file.name, "Download_Flag": BY_URL,
            }),
        ),
        Content::Location { latitude, longitude, address, name } => {
            let degrees = |text: &str| text.parse::<serde_json::Number>().ok();
            let parts: Vec<&str> = [name.as_str(), address].into_iter().filter(|part| !part.is_empty()).collect();
            let (latitude, longitude) = (degrees(latitude), degrees(longitude));
            (LOCATION, json!({"Desc": parts.join(", "), "Latitude": latitude, "Longitude": longitude}))
        }
        Content::Command { name, data } => return custom(name, data),
    };
    json!({"MsgType": kind, "MsgContent": content})
}

fn whole(value: &Value) -> u32 {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension).filter(|extension| !extension.is_empty())
}

fn format_of(name: &str) -> u32 {
    let name = name.to_lowercase();
    FORMATS.iter().find(|(end, _)| name.ends_with(end)).map_or(UNKNOWN_FORMAT, |(_, format)| *format)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn file(name: &str) -> MediaFile {
        MediaFile { url: "https://h/f".to_owned(), name: name.to_owned(), bytes: 7 }
    }

    #[test]
    fn content_in_neutral_terms_and_back() {
        let dimensions = Dimensions { width: 3, height: 4 };
        let (empty, still_url) = (String::new, "https://h/s".to_owned());
        for content in [
            Content::Image { file: file(""), dimensions, animated: false, thumbnail: empty() },
            Content::Image { file: file(""), dimensions, animated: true, thumbnail: empty() },
            Content::Audio { file: file(""), seconds: 9 },
            Content::Video { file: file(""), seconds: 9, dimensions, still_url, thumbnail: empty() },
            Content::File(file("a.txt")),
            Content::Location {
                latitude: "39.5".to_owned(),
                longitude: "-116".to_owned(),
                address: "Quai 1".to_owned(),
                name: empty(),
            },
        ] {
            let element = element(&content, "1");
            let back = neutral(element["MsgType"].as_str().unwrap(), &element["MsgContent"]);
            assert_eq!(back, Some(content));
        }
    }

    #[test]
    fn files_without_a_url_have_no_neutral_form() {
        for kind in [IMAGE, SOUND, VIDEO, FILE, LOCATION, "TIMFaceElem"] {
            assert_eq!(neutral(kind, &json!({"UUID": "x", "ImageInfoArray": [{"Type": 1}]})), None, "{kind}");
        }
    }

    #[test]
    fn formats_are_found_by_name() {
        assert_eq!([format_of("a.JPG"), format_of("a.png"), format_of("a")], [1, 3, UNKNOWN_FORMAT]);
    }
}

//! Attachments, places and commands: this vendor's content from and to neutral terms.
//!
//! A file is opened by a secret beside its URL here; in neutral terms the URL is complete.

use conclave_core::model as neutral;
use conclave_core::model::{Dimensions, MediaFile};
use serde_json::{Map, Number, Value};

use super::content::{Audio, Command, Content, File, Image, Location, Size, Video, What};

/// The query parameter of a download that holds the file's secret.
pub(crate) const SECRET: &str = "share-secret";
/// The member of a command that holds parameters of another vendor's client.
const PARAMETERS: &str = "data";

/// The same in neutral terms; `None` for texts, for the app's own content, and where the file has no URL.
pub(crate) fn neutral(content: &Content) -> Option<neutral::Content> {
    Some(match &content.what {
        What::Text(_) | What::Custom(_) => return None,
        What::Image(image) => neutral::Content::Image {
            file: file(image.url.as_ref(), image.secret.as_ref(), image.filename.as_ref(), image.bytes.as_ref())?,
            dimensions: dimensions(image.size.as_ref()),
            animated: image.gif == Some(true),
            thumbnail: String::new(),
        },
        What::Audio(audio) => neutral::Content::Audio {
            file: file(audio.url.as_ref(), audio.secret.as_ref(), audio.filename.as_ref(), audio.bytes.as_ref())?,
            seconds: whole(audio.length.as_ref()),
        },
        What::Video(video) => neutral::Content::Video {
            file: file(video.url.as_ref(), video.secret.as_ref(), video.filename.as_ref(), video.bytes.as_ref())?,
            seconds: whole(video.length.as_ref()),
            dimensions: dimensions(video.size.as_ref()),
            still_url: opened(video.thumb.as_ref(), video.thumb_secret.as_ref()).unwrap_or_default(),
            thumbnail: String::new(),
        },
        What::File(any) => neutral::Content::File(file(
            any.url.as_ref(),
            any.secret.as_ref(),
            any.filename.as_ref(),
            any.bytes.as_ref(),
        )?),
        What::Location(place) => neutral::Content::Location {
            latitude: place.latitude.as_ref()?.to_string(),
            longitude: place.longitude.as_ref()?.to_string(),
            address: place.address.clone().unwrap_or_default(),
            name: place.building.clone().unwrap_or_default(),
        },
        What::Command(command) => neutral::Content::Command {
            name: command.action.clone()?,
            data: match content.more.get(PARAMETERS) {
                Some(Value::String(data)) => data.clone(),
                _ if content.more.is_empty() => String::new(),
                _ => Value::from(content.more.clone()).to_string(),
            },
        },
    })
}

/// This vendor's content for one in neutral terms.
pub(crate) fn content(neutral: &neutral::Content) -> Content {
    let name = |file: &MediaFile| Some(file.name.clone()).filter(|name| !name.is_empty());
    let bytes = |file: &MediaFile| Some(Number::from(file.bytes)).filter(|_| file.bytes > 0);
    match neutral {
        neutral::Content::Image { file, dimensions, animated, .. } => Image {
            url: Some(file.url.clone()),
            filename: name(file),
            bytes: bytes(file),
            size: size(*dimensions),
            gif: animated.then_some(true),
            ..Image::default()
        }
        .into(),
        neutral::Content::Audio { file, seconds } => Audio {
            url: Some(file.url.clone()),
            filename: name(file),
            bytes: bytes(file),
            length: Some((*seconds).into()),
            ..Audio::default()
        }
        .into(),
        neutral::Content::Video { file, seconds, dimensions, still_url, .. } => Video {
            url: Some(file.url.clone()),
            filename: name(file),
            bytes: bytes(file),
            length: Some((*seconds).into()),
            size: size(*dimensions),
            thumb: Some(still_url.clone()).filter(|url| !url.is_empty()),
            ..Video::default()
        }
        .into(),
        neutral::Content::File(file) => {
            File { url: Some(file.url.clone()), filename: name(file), bytes: bytes(file), ..File::default() }.into()
        }
        neutral::Content::Location { latitude, longitude, address, name } => Location {
            latitude: latitude.parse().ok(),
            longitude: longitude.parse().ok(),
            address: Some(address.clone()),
            building: Some(name.clone()).filter(|name| !name.is_empty()),
        }
        .into(),
        neutral::Content::Command { name, data } => {
            let mut content = Content::from(Command { action: Some(name.clone()) });
            if !data.is_empty() {
                content.more = Map::from_iter([(PARAMETERS.to_owned(), Value::from(data.as_str()))]);
            }
            content
        }
    }
}

/// The file, if there is a URL.
fn file(
    url: Option<&String>,
    secret: Option<&String>,
    name: Option<&String>,
    bytes: Option<&Number>,
) -> Option<MediaFile> {
    let bytes = bytes.and_then(Number::as_u64).unwrap_or_default();
    Some(MediaFile { url: opened(url, secret)?, name: name.cloned().unwrap_or_default(), bytes })
}

/// The URL with its secret in it.
fn opened(url: Option<&String>, secret: Option<&String>) -> Option<String> {
    let url = url.filter(|url| !url.is_empty())?;
    let Some(secret) = secret.filter(|secret| !secret.is_empty() && !url.contains(SECRET)) else {
        return Some(url.clone());
    };
    let separator = if url.contains('?') { '&' } else { '?' };
    let secret = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC);
    Some(format!("{url}{separator}{SECRET}={secret}"))
}

fn whole(number: Option<&Number>) -> u32 {
    let number = number.and_then(Number::as_f64).unwrap_or_default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what does not fit is cut")]
    let whole = number.round() as u32;
    whole
}

fn dimensions(size: Option<&Size>) -> Dimensions {
    size.map(|size| Dimensions { width: whole(Some(&size.width)), height: whole(Some(&size.height)) })
        .unwrap_or_default()
}

fn size(dimensions: Dimensions) -> Option<Size> {
    let Dimensions { width, height } = dimensions;
    (width > 0 && height > 0).then(|| Size { width: width.into(), height: height.into() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: &str, body: &Value) -> Content {
        Content::read(kind, body.as_object().unwrap().clone()).unwrap()
    }

    #[test]
    fn content_in_neutral_terms_and_back() {
        for (kind, body) in [
            ("img", json!({"url": "u", "filename": "f", "file_length": 7, "size": {"width": 3, "height": 4}})),
            ("img", json!({"url": "u", "gif": true})),
            ("audio", json!({"url": "u", "filename": "f", "length": 10})),
            ("video", json!({"url": "u", "length": 9, "thumb": "t", "size": {"width": 3, "height": 4}})),
            ("file", json!({"url": "u", "filename": "f", "file_length": 7})),
            ("loc", json!({"lat": 39.5, "lng": -116, "addr": "a", "buildingName": "b"})),
            ("cmd", json!({"action": "a", "data": "d"})),
        ] {
            let neutral = neutral(&read(kind, &body)).unwrap();
            assert_eq!(content(&neutral), read(kind, &body), "{kind} {body}");
        }
        for (kind, body) in [("txt", json!({"msg": "hi"})), ("custom", json!({})), ("img", json!({"url": ""}))] {
            assert_eq!(neutral(&read(kind, &body)), None, "{kind} {body}");
        }
    }

    #[test]
    fn a_secret_becomes_part_of_the_url() {
        let url = |body: Value| match neutral(&read("file", &body)).unwrap() {
            neutral::Content::File(file) => file.url,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(url(json!({"url": "http://h/f", "secret": "a b"})), "http://h/f?share-secret=a%20b");
        assert_eq!(url(json!({"url": "http://h/f?x=1", "secret": "s"})), "http://h/f?x=1&share-secret=s");
        assert_eq!(url(json!({"url": "http://h/f?share-secret=s", "secret": "s"})), "http://h/f?share-secret=s");
    }
}

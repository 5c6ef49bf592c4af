//! URLs of files that were sent through another vendor.
//!
//! The web SDKs replace the host of a file's URL with their own API address, and keep a URL that says `?em-redirect` otherwise as it is
//! (source: the SDK). So such a file gets an address among the app's attachments, from which its download is redirected.

use conclave_kit::Sealer;

use super::content::{Content, What};

/// Tells the SDK that the URL is complete.
const REDIRECT: &str = "?em-redirect=true";

/// Makes these addresses and reads them.
pub(crate) struct Links {
    /// Only addresses made here are redirected.
    sealer: Sealer,
    /// The path of the app's attachments.
    folder: String,
}

impl Links {
    /// For an app.
    pub(crate) fn new(org: &str, app: &str, secret: &str) -> Self {
        let sealer = Sealer::new(secret.as_bytes(), &format!("agora file of {org}#{app}"));
        Self { sealer, folder: format!("/{org}/{app}/chatfiles/") }
    }

    /// Replaces the URLs of the files in a message's content.
    pub(crate) fn replace(&self, content: &mut Content) {
        let (url, thumb) = match &mut content.what {
            What::Image(image) => (&mut image.url, Some(&mut image.thumb)),
            What::Video(video) => (&mut video.url, Some(&mut video.thumb)),
            What::Audio(audio) => (&mut audio.url, None),
            What::File(file) => (&mut file.url, None),
            What::Text(_) | What::Location(_) | What::Command(_) | What::Custom(_) => return,
        };
        for url in [Some(url), thumb].into_iter().flatten().flatten() {
            if is_of_the_web(url) {
                // the host is replaced by the SDK
                *url = format!("https://conclave{}{}{REDIRECT}", self.folder, self.sealer.seal(url.as_bytes()));
            }
        }
    }

    /// The URL behind the last part of such an address.
    pub(crate) fn open(&self, name: &str) -> Option<String> {
        let url = String::from_utf8(self.sealer.open(name)?).ok()?;
        is_of_the_web(&url).then_some(url)
    }
}

fn is_of_the_web(url: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::content::{File, Text};
    use super::*;

    #[test]
    fn a_file_is_found_behind_its_address() {
        let links = Links::new("org", "app", "secret");
        let url = "https://files.example.com/ä?x=1";
        let mut content = Content::from(File { url: Some(url.to_owned()), ..File::default() });
        links.replace(&mut content);
        let What::File(File { url: Some(address), .. }) = &content.what else { unreachable!("a file") };
        let name = address.strip_prefix("https://conclave/org/app/chatfiles/").unwrap();
        let name = name.strip_suffix("?em-redirect=true").unwrap();
        assert_eq!(links.open(name).as_deref(), Some(url));
        assert_eq!(Links::new("org", "app", "other").open(name), None);
    }

    #[test]
    fn nothing_else_is_replaced_or_opened() {
        let links = Links::new("org", "app", "secret");
        for content in [
            Content::from(File { url: Some("file:///etc/passwd".to_owned()), ..File::default() }),
            Content::from(File::default()),
            Content::from(Text { url: Some("https://h".to_owned()), ..Text::default() }),
        ] {
            let mut replaced = content.clone();
            links.replace(&mut replaced);
            assert_eq!(replaced, content);
        }
        assert_eq!(links.open(&links.sealer.seal(b"javascript:alert(1)")), None);
    }
}

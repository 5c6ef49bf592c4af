//! A setting that is never shown in logs.

use std::fmt;

use serde::Deserialize;

/// A text that signs something. It is not shown where the settings around it are.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether no secret is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "none" } else { "concealed" })
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_concealed_is_not_shown() {
        let secret = Secret::from("hunter2");
        assert_eq!((format!("{secret:?}").as_str(), secret.reveal()), ("concealed", "hunter2"));
        assert_eq!(format!("{:?}", Secret::default()), "none");
    }
}

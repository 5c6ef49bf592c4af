//! `pageToken`: opaque, sealed, and valid only for the list it was issued for.

use conclave_core::query::Cursor;
use conclave_kit::Sealer;

use crate::realm::Credentials;
use crate::refusals::{Code, Failure};

/// The start of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageStart {
    /// After this row.
    After(Cursor),
    /// After this many entries.
    Skip(usize),
}

/// Issues and opens the tokens of one list.
pub(crate) struct Pages(Sealer);

impl Pages {
    /// The page tokens of a list; the name includes the list's owner and filter.
    pub(crate) fn of(credentials: &Credentials, list: &str) -> Self {
        Self(Sealer::new(credentials.app_secret.as_bytes(), &format!("rong page of {} {list}", credentials.app_key)))
    }

    /// The token of a page; empty without a next page.
    pub(crate) fn token(&self, next: Option<PageStart>) -> String {
        let payload = match next {
            None => return String::new(),
            Some(PageStart::After(cursor)) => [&[0], cursor.0.as_slice()].concat(),
            Some(PageStart::Skip(entries)) => [&[1], (entries as u64).to_be_bytes().as_slice()].concat(),
        };
        self.0.seal(&payload)
    }

    /// The start of the requested page: a missing or empty token is the first page.
    pub(crate) fn place(&self, token: Option<&str>) -> Result<Option<PageStart>, Failure> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Ok(None) };
        let payload = self.0.open(token).ok_or(Code::PageToken)?;
        let place = match payload.split_first() {
            Some((0, rest)) => PageStart::After(Cursor(rest.to_vec())),
            Some((1, rest)) => {
                let entries = rest.try_into().map(u64::from_be_bytes).map_err(|_| Code::PageToken)?;
                PageStart::Skip(usize::try_from(entries).map_err(|_| Code::PageToken)?)
            }
            _ => return Err(Code::PageToken.into()),
        };
        Ok(Some(place))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn tokens_lead_back_to_their_own_list_only() {
        let credentials = Credentials { app_key: "k".to_owned(), app_secret: "s".to_owned() };
        let pages = Pages::of(&credentials, "members g1");
        for place in [PageStart::After(Cursor(vec![1, 2, 3])), PageStart::Skip(7)] {
            let token = pages.token(Some(place.clone()));
            assert_eq!(pages.place(Some(&token)).unwrap(), Some(place));
            let other = Pages::of(&credentials, "members g2");
            assert_eq!(other.place(Some(&token)).unwrap_err().code, Code::PageToken);
        }
        assert_eq!(pages.token(None), "");
        assert_eq!(pages.place(Some("")).unwrap(), None);
        assert_eq!(pages.place(None).unwrap(), None);
        assert_eq!(pages.place(Some("garbage")).unwrap_err().code, Code::PageToken);
    }
}

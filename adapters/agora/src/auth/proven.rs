//! Tokens whose seal or signature was verified before, so that it is not computed again for each call of a busy caller.

use conclave_core::model::Millis;
use quick_cache::sync::Cache;

use super::token::{Claims, TokenError};

/// Tokens that are kept for each app.
const MOST: usize = 1024;
/// Bytes of the longest token that is kept; the vendor's have some 200.
const LONGEST: usize = 512;

/// The claims of verified tokens of one app. Whether a token is still valid for its account is checked with the account,
/// at each call.
pub(crate) struct ProvenTokens(Cache<String, Claims>);

impl ProvenTokens {
    pub(crate) fn new() -> Self {
        Self(Cache::new(MOST))
    }

    /// The claims of a token that has not expired; `open` verifies one that is not known.
    pub(crate) fn claims(
        &self,
        token: &str,
        now: Millis,
        open: impl FnOnce() -> Result<Claims, TokenError>,
    ) -> Result<Claims, TokenError> {
        if let Some(claims) = self.0.get(token) {
            return match claims.expires {
                Some(at) if at <= now => {
                    self.0.remove(token);
                    Err(TokenError::Expired)
                }
                _ => Ok(claims),
            };
        }
        let claims = open()?;
        if token.len() <= LONGEST {
            self.0.insert(token.to_owned(), claims.clone());
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::Subject;
    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn claims(expires: Option<Millis>) -> Claims {
        Claims { subject: Subject::App, issued: NOW, expires, precise: true }
    }

    #[test]
    fn a_token_is_verified_once_and_expires_all_the_same() {
        let proven = ProvenTokens::new();
        let end = NOW.plus(1000);
        assert_eq!(proven.claims("token", NOW, || Ok(claims(Some(end)))), Ok(claims(Some(end))));
        let never = || Err(TokenError::Foreign);
        assert_eq!(proven.claims("token", Millis(end.0 - 1), never), Ok(claims(Some(end))));
        assert_eq!(proven.claims("token", end, never), Err(TokenError::Expired));
        assert_eq!(proven.claims("other", NOW, never), Err(TokenError::Foreign), "another token is verified");
        assert_eq!(proven.claims("other", NOW, || Ok(claims(None))), Ok(claims(None)), "a refused one is not kept");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let proven = ProvenTokens::new();
        let long = "t".repeat(LONGEST + 1);
        let opened = [&long, &long].map(|token| proven.claims(token, NOW, || Ok(claims(None))).is_ok());
        assert_eq!((opened, proven.0.len()), ([true; 2], 0));
        for number in 0..3 * MOST {
            assert!(proven.claims(&number.to_string(), NOW, || Ok(claims(None))).is_ok());
        }
        assert!(proven.0.len() <= MOST);
    }
}

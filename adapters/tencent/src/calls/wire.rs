//! Small wire types that several commands share.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A user id in a request: a text, or another type, which has an error code of its own at the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    Text(String),
    Other,
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Account;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an account")
            }

            fn visit_str<E>(self, text: &str) -> Result<Account, E> {
                Ok(Account::Text(text.to_owned()))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Account, E> {
                Ok(Account::Other)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Account, E> {
                Ok(Account::Other)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Account, E> {
                Ok(Account::Other)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Account, E> {
                Ok(Account::Other)
            }

            fn visit_unit<E>(self) -> Result<Account, E> {
                Ok(Account::Other)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Account, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Account::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Account, A::Error> {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Account::Other)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// A cursor that clients send as text or as a number; "" and 0 are the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Next(pub(crate) u64);

impl<'de> Deserialize<'de> for Next {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) if text.is_empty() => Ok(Self(0)),
            Either::Text(text) => text.parse().map(Self).map_err(|_| D::Error::custom("Next is illegal")),
        }
    }
}

/// `On` or `Off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Switch {
    On,
    Off,
}

impl Switch {
    pub(crate) fn is_on(self) -> bool {
        self == Self::On
    }

    pub(crate) fn word(on: bool) -> &'static str {
        if on { "On" } else { "Off" }
    }
}

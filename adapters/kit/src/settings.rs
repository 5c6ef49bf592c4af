//! Settings that document themselves: the type, the defaults and the reference come from one place.

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub &'static str);

/// One setting, for the configuration reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key.
    pub key: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its default, as the configuration spells it.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// Declares a struct of settings: read from configuration (unknown keys are errors), with defaults, and with a
/// `REFERENCE` that the documentation is generated from.
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $outer:literal])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])+ $key:ident : $kind:ty = $default:expr;)*
        }
    ) => {
        $(#[doc = $outer])*
        #[derive(Debug, Clone, PartialEq, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        #[allow(clippy::struct_excessive_bools, reason = "each is one independent switch")]
        pub struct $name {
            $($(#[doc = $doc])+ pub $key: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        }

        impl $name {
            /// Every setting with its default and what it does.
            pub const REFERENCE: &'static [$crate::Setting] = &[
                $($crate::Setting {
                    key: stringify!($key),
                    kind: $crate::Kind(stringify!($kind)),
                    default: stringify!($default),
                    about: concat!($($doc),+),
                },)*
            ];
        }
    };
}

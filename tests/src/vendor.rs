//! The three vendors, and a realm's sections at each.

use std::fmt;

use conclave::config::RealmConfig;
use conclave_agora::Agora;
use conclave_rong::Rong;
use conclave_tencent::Tencent;

/// A vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Agora Chat, Easemob.
    Agora,
    /// Tencent Chat.
    Tencent,
    /// `RongCloud`.
    Rong,
}

impl Vendor {
    /// Its name in paths and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agora => "agora",
            Self::Tencent => "tencent",
            Self::Rong => "rong",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A realm's sections by name.
pub trait Sections {
    /// At Agora.
    fn agora(&mut self) -> &mut conclave_agora::Section;
    /// At Tencent.
    fn tencent(&mut self) -> &mut conclave_tencent::Section;
    /// At `RongCloud`.
    fn rong(&mut self) -> &mut conclave_rong::Section;
}

impl Sections for RealmConfig {
    fn agora(&mut self) -> &mut conclave_agora::Section {
        self.section_mut::<Agora>().expect("the realm is at Agora")
    }

    fn tencent(&mut self) -> &mut conclave_tencent::Section {
        self.section_mut::<Tencent>().expect("the realm is at Tencent")
    }

    fn rong(&mut self) -> &mut conclave_rong::Section {
        self.section_mut::<Rong>().expect("the realm is at RongCloud")
    }
}

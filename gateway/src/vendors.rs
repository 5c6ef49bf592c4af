//! The vendors that are served. This file alone in the gateway names any.

use conclave_agora::Agora;
use conclave_rong::Rong;
use conclave_tencent::Tencent;

pub use crate::registry::Vendors;

impl Vendors {
    /// Those the binary serves, one line each.
    pub fn standard() -> Self {
        Self::none().with::<Agora>().with::<Tencent>().with::<Rong>()
    }
}

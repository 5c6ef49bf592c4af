//! The vendors of the binary. The only file of the gateway that names any.

use conclave_agora::Agora;
use conclave_rong::Rong;
use conclave_tencent::Tencent;

pub use crate::registry::Vendors;

impl Vendors {
    /// The binary's vendors, one line each.
    pub fn standard() -> Self {
        Self::none().with::<Agora>().with::<Tencent>().with::<Rong>()
    }
}

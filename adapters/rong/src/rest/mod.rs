//! The server API: a route table that carries the vendor's paths as names, and one small file per endpoint or family.

mod call;
mod entrust;
pub(crate) mod envelope;
mod group;
mod message;
mod routes;
mod user;

use std::future::Future;
use std::pin::Pin;

pub(crate) use call::Call;
pub(crate) use routes::routes;

use crate::refusals::Failure;

/// An answer that is being worked out.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<envelope::Answer, Failure>> + Send + 'a>>;

/// What answers one endpoint.
pub(crate) type Handler = for<'a> fn(&'a Call<'a>) -> Answering<'a>;

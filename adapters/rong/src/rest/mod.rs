//! The server API: a route table that uses the vendor's paths as names, and one file per endpoint or family.

mod call;
mod entrust;
pub(crate) mod envelope;
pub(crate) mod form;
mod group;
mod message;
mod rendered;
mod routes;
mod user;

use std::future::Future;
use std::pin::Pin;

pub(crate) use call::Call;
pub(crate) use rendered::RenderedFrom;
pub(crate) use routes::routes;

use crate::refusals::Failure;

/// A response in progress.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<envelope::ResponseBody, Failure>> + Send + 'a>>;

/// The handler of one endpoint.
pub(crate) type Handler = for<'a> fn(&'a Call<'a>) -> Answering<'a>;

//! The server API: a route table that carries the vendor's names of commands, and one small file per command.

mod account;
mod call;
pub(crate) mod envelope;
mod extras;
mod filter;
mod group;
mod live;
mod member;
mod message;
mod migration;
mod moderation;
mod routes;
mod topic;
mod wire;

use std::future::Future;
use std::pin::Pin;

pub(crate) use call::Call;
pub(crate) use message::Rate;
pub(crate) use routes::routes;

use crate::refusals::{Failure, Family};

/// An answer that is being worked out.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<envelope::Answer, Failure>> + Send + 'a>>;

/// What answers one command.
pub(crate) type Handler = for<'a> fn(&'a Call<'a>) -> Answering<'a>;

/// A command and whose codes it speaks.
pub(crate) struct Endpoint {
    pub(crate) family: Family,
    pub(crate) handler: Handler,
}

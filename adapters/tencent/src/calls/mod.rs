//! The vendor's commands, one file each, for all callers and transports.
//!
//! A transport authenticates the caller and passes the body; a command says who may call it, and the core decides what
//! that caller may do.

mod account;
mod call;
mod commands;
mod conversation;
pub(crate) mod envelope;
mod extras;
mod filter;
mod group;
mod joining;
mod live;
mod member;
mod message;
mod migration;
mod missed;
mod moderation;
mod neighbours;
mod polling;
mod profile;
mod rendered;
mod topic;
mod upload;
mod visitors;
mod wire;

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;
use conclave_kit::Unread;

pub(crate) use account::kick::kicked_at;
pub use call::SignedIn;
pub(crate) use call::{Call, Caller};
pub(crate) use commands::COMMANDS;
pub(crate) use missed::{confirm, cookie, notices_after, number as cookie_number};
pub(crate) use neighbours::FEATURES;
pub(crate) use rendered::RenderedFrom;
pub(crate) use visitors::{VISITOR_COMMANDS, Visit, VisitorCommand, WatchedRooms};

use crate::realm::App;
use crate::refusals::{Code, Failure, Family};

/// A response in progress.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<envelope::ResponseBody, Failure>> + Send + 'a>>;

/// The handler of one command.
pub(crate) type Handler = for<'a> fn(&'a Call<'a>) -> Answering<'a>;

/// Who may call a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Callers {
    /// The app's admins only.
    App,
    /// Signed-in users only.
    Users,
    /// The app's admins and signed-in users.
    Anyone,
}

impl Callers {
    fn includes(self, caller: &Caller) -> bool {
        match caller {
            Caller::Admin(_) => self != Self::Users,
            Caller::User(_) => self != Self::App,
        }
    }
}

/// A command of the vendor.
pub(crate) struct Command {
    /// The service it belongs to, e.g. `group_open_http_svc`.
    pub(crate) service: &'static str,
    /// Its name within the service.
    pub(crate) name: &'static str,
    /// Its path over HTTP.
    pub(crate) path: &'static str,
    /// The family of its error codes.
    pub(crate) family: Family,
    /// Who may call it.
    pub(crate) callers: Callers,
    /// Whether it may change something; one that only reads may be repeated.
    pub(crate) changes: bool,
    pub(crate) handler: Handler,
}

impl Command {
    /// The command with this name, written `service.command`.
    pub(crate) fn named(full_name: &str) -> Option<&'static Self> {
        let (service, name) = full_name.split_once('.')?;
        COMMANDS.iter().find(|command| command.service == service && command.name == name)
    }

    /// The command with this path over HTTP.
    pub(crate) fn at(path: &str) -> Option<&'static Self> {
        COMMANDS.iter().find(|command| command.path == path)
    }

    /// Runs the command; also returns the request fields that it did not read.
    pub(crate) async fn run(
        &self,
        app: &App,
        caller: Caller,
        body: &[u8],
    ) -> Result<(envelope::ResponseBody, Unread), Failure> {
        if !self.callers.includes(&caller) {
            return Err(if self.callers == Callers::App { Code::NeedsAdmin } else { Code::NotFound }.into());
        }
        let call = Call::new(app, caller, self.family, body);
        let answer = (self.handler)(&call).await?;
        Ok((answer, call.unread()))
    }
}

/// Handles a command of a signed-in user: returns the body, the outcome, and the fields that were not read.
pub(crate) async fn answer_user(
    app: &App,
    user: SignedIn,
    command: &str,
    body: &[u8],
) -> (Bytes, Result<Unread, Failure>) {
    let answered = match Command::named(command) {
        None => Err(Code::UnknownCommand.into()),
        Some(command) => command.run(app, Caller::User(user), body).await,
    };
    match answered {
        Ok((answer, unread)) => (answer.into_bytes(), Ok(unread)),
        Err(failure) => (envelope::refuse(&failure).into_bytes(), Err(failure)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::COMMANDS;

    #[test]
    fn every_command_has_one_handler() {
        let mut paths = HashSet::new();
        assert!(COMMANDS.iter().all(|command| paths.insert(command.path)));
    }
}

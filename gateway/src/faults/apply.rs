//! What rules do to requests, to calls, and to what they perform.

use std::sync::Arc;

use conclave_core::event::Actor;
use conclave_core::model::GroupId;
use conclave_core::refusal::Refusal;
use conclave_kit::{Admitted, Body, Fault, Surface};
use http::{Response, StatusCode};

use super::armed::Fired;
use super::rule::{CallEffect, When};
use crate::backend::CURRENT;

/// Marks a response that is not sent: its connection is dropped instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

impl std::fmt::Display for Dropped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped by a fault rule")
    }
}

impl std::error::Error for Dropped {}

/// Applies the rules that need only the caller, before a request is performed; returns whether it is not performed.
pub(crate) async fn before(admitted: &Admitted) -> bool {
    let fired = CURRENT.with(|current| {
        let armed = current.faults.as_ref()?;
        let realm = admitted.realm.as_ref()?;
        armed.admitted(realm, admitted.user.as_ref());
        let fired = armed.fired().cloned();
        if fired.is_some() {
            // for the journal: a request that is not performed does not reach its realm
            current.realm.get_or_init(|| Arc::clone(realm));
        }
        fired
    });
    begin(fired).await
}

/// Applies what has been decided before a call is performed; returns whether it is not performed.
pub(crate) async fn begin(fired: Option<Fired>) -> bool {
    let Some(fired) = fired else { return false };
    fired.delay(When::Before).await;
    fired.prevents()
}

/// Applies the rules about what the current request or call performs.
///
/// # Errors
/// It is not performed. What the caller is answered is decided by the rule, not by this refusal.
pub(crate) async fn performed(realm: &str, actor: &Actor, concerns: impl Fn(&GroupId) -> bool) -> Result<(), Refusal> {
    let newly = CURRENT.try_with(|current| {
        let armed = current.faults.as_ref()?;
        let before = armed.fired().is_some();
        armed.performed(realm, actor, concerns);
        armed.fired().filter(|_| !before).cloned()
    });
    if begin(newly.ok().flatten()).await {
        return Err(Refusal::NotOffered { what: "what a fault rule prevents" });
    }
    Ok(())
}

/// What happens to the current request or call, if anything.
pub(crate) fn fired() -> Option<Fired> {
    CURRENT.try_with(|current| current.faults.as_ref()?.fired().cloned()).ok().flatten()
}

/// The response to a request after the rules were applied to it.
pub(crate) async fn after(answer: Response<Body>, surface: &dyn Surface) -> Response<Body> {
    let Some(fired) = fired() else { return answer };
    fired.delay(When::After).await;
    match fired.effect {
        CallEffect::Delay(_) => answer,
        CallEffect::Error(position, _) => surface.fault(Fault::Error(position)),
        CallEffect::Drop => {
            let mut dropped = Response::new(Body::empty());
            *dropped.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            dropped.extensions_mut().insert(Dropped);
            dropped
        }
    }
}

/// The result of a call of a session after the rules were applied to it; `Err` when its connection is dropped.
pub(crate) async fn after_call<T>(result: Result<T, Fault>) -> Result<Result<T, Fault>, Dropped> {
    let Some(fired) = fired() else { return Ok(result) };
    fired.delay(When::After).await;
    match fired.effect {
        CallEffect::Delay(_) => Ok(result),
        CallEffect::Error(position, _) => Ok(Err(Fault::Error(position))),
        CallEffect::Drop => Err(Dropped),
    }
}

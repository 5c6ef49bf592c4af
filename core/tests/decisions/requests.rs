//! Requests to join and invitations.

use conclave_core::model::{Circle, Join, Policy, Settings, Until};
use conclave_core::operation::{AnswerInvitation, Apply, Block, Cleanup, DecideRequest};

use crate::common::{add, group, user, users};
use crate::recorder::decisions;

fn apply(most: Option<u32>) -> Apply {
    Apply { message: "please".to_owned(), most, ..Apply::of(group("g")) }
}

fn decide(name: &str, accept: bool) -> DecideRequest {
    DecideRequest {
        group: group("g"),
        user: user(name),
        inviter: None,
        accept,
        reason: "because".to_owned(),
        most: None,
    }
}

fn answer(name: &str, accept: bool) -> AnswerInvitation {
    AnswerInvitation {
        group: group("g"),
        user: user(name),
        inviter: Some(user("cy")),
        accept,
        reason: "because".to_owned(),
        most: None,
    }
}

#[test]
fn applying() {
    decisions("apply", Policy::standard(), async |record| {
        let _ = record.user("cy", "applies, a member", apply(None)).await;
        let _ = record.user("dan", "applies", apply(None)).await;
        let _ = record.user("dan", "applies again", apply(None)).await;
        let for_fay = Apply { user: Some(user("fay")), ..apply(None) };
        let _ = record.user("dan", "applies for fay", for_fay.clone()).await;
        let _ = record.app("applies for fay", for_fay).await;
        let _ = record.user("cy", "decides", decide("dan", true)).await;
        let _ = record.user("dan", "decides for herself", decide("dan", true)).await;
        let _ = record.user("ben", "decides about nobody's request", decide("eve", true)).await;
        let _ = record.user("ben", "refuses dan", decide("dan", false)).await;
        let _ = record.user("ben", "accepts dan too late", decide("dan", true)).await;
        let _ = record.user("dan", "applies once more", apply(None)).await;
        let _ = record
            .user("ann", "accepts dan beyond the limit", DecideRequest { most: Some(4), ..decide("dan", true) })
            .await;
        let _ = record.user("ann", "accepts dan", DecideRequest { most: Some(5), ..decide("dan", true) }).await;
        record.world.step(Settings::default().request_lifetime);
        let _ = record.app("accepts fay too late", decide("fay", true)).await;
    });
}

#[test]
fn applying_to_an_open_group() {
    decisions("apply_open", Policy { join: Join::Open, capacity: Some(6), ..Policy::standard() }, async |record| {
        let block = Block {
            group: group("g"),
            users: users(&["fay"]),
            until: Until::Forever,
            reason: String::new(),
            members_only: false,
            cleanup: Cleanup::default(),
        };
        let _ = record.app("blocks fay", block).await;
        let _ = record.user("fay", "joins, blocked", apply(None)).await;
        let _ = record.user("dan", "joins beyond the limit", apply(Some(4))).await;
        let _ = record.user("dan", "joins", apply(Some(5))).await;
        let _ = record.user("dan", "joins again", apply(None)).await;
    });
}

#[test]
fn applying_to_a_closed_group() {
    decisions("apply_closed", Policy { join: Join::Closed, ..Policy::standard() }, async |record| {
        let _ = record.user("dan", "applies", apply(None)).await;
        let _ = record.app("applies for dan", Apply { user: Some(user("dan")), ..apply(None) }).await;
    });
    decisions("apply_owner", Policy { join: Join::Approval(Circle::Owner), ..Policy::standard() }, async |record| {
        let _ = record.user("dan", "applies", apply(None)).await;
        let _ = record.user("ben", "accepts, no owner", decide("dan", true)).await;
        let _ = record.user("ann", "accepts", decide("dan", true)).await;
    });
    decisions("apply_full", Policy { capacity: Some(4), ..Policy::standard() }, async |record| {
        let _ = record.user("dan", "applies to the full group", apply(None)).await;
        let _ = record.user("ann", "accepts into the full group", decide("dan", true)).await;
    });
}

#[test]
fn answering_invitations() {
    let consent = Policy { invite: Circle::Members, invitee_consent: true, ..Policy::standard() };
    decisions("answer_invitation", consent, async |record| {
        let _ = record.user("dan", "accepts without an invitation", answer("dan", true)).await;
        let _ = record.user("cy", "invites dan and fay", add(&["dan", "fay"])).await;
        let _ = record.user("cy", "accepts for dan", answer("dan", true)).await;
        let _ = record
            .user("dan", "accepts beyond the limit", AnswerInvitation { most: Some(4), ..answer("dan", true) })
            .await;
        let _ = record.user("dan", "accepts", answer("dan", true)).await;
        let _ = record.user("dan", "accepts again", answer("dan", true)).await;
        let other = AnswerInvitation { inviter: Some(user("ben")), ..answer("fay", true) };
        let _ = record.user("fay", "accepts ben's, who did not invite", other).await;
        let _ = record.user("ben", "decides, though the invited has to", decide("fay", true)).await;
        let _ = record.user("fay", "refuses", answer("fay", false)).await;
        let _ = record.user("cy", "invites fay again", add(&["fay"])).await;
        let _ = record
            .app("accepts any invitation for fay", AnswerInvitation { inviter: None, ..answer("fay", true) })
            .await;
    });
}

#[test]
fn deciding_about_invitations() {
    let careful = Policy {
        invite: Circle::Members,
        invite_approval: Some(Circle::Managers),
        invitee_consent: true,
        ..Policy::standard()
    };
    decisions("decide_invitation", careful, async |record| {
        let _ = record.user("cy", "invites dan and fay", add(&["dan", "fay"])).await;
        let by_cy = |name, accept| DecideRequest { inviter: Some(user("cy")), ..decide(name, accept) };
        let _ = record.user("cy", "approves", by_cy("dan", true)).await;
        let _ = record.user("ben", "approves dan", by_cy("dan", true)).await;
        let _ = record.user("ben", "refuses fay", by_cy("fay", false)).await;
        let _ = record.user("dan", "accepts", answer("dan", true)).await;
    });
}

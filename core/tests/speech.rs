//! The rule of who may send messages, over every combination of its inputs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{START, World, block_on, group, user};
use conclave_core::model::{Circle, Group, Millis, Mute, Policy, Role, Until};
use conclave_core::query::GroupById;
use conclave_core::refusal::Refusal;
use conclave_core::speech::{Speaker, may_speak};

const NOW: Millis = Millis(START);
const OFTEN: [bool; 2] = [false, true];

fn header() -> Group {
    block_on(async {
        let world = World::peopled(&["ann"]).await;
        world.group("g", "ann", &[], Policy::standard()).await;
        Group::clone(&world.ask(GroupById { group: group("g") }).await.unwrap().group)
    })
}

fn mute(until: Until) -> Mute {
    Mute { user: user("ben"), since: Millis(0), until }
}

#[test]
fn the_first_reason_is_reported() {
    let ben = user("ben");
    let holding = [None, Some(mute(Until::At(NOW))), Some(mute(Until::At(NOW.plus(1)))), Some(mute(Until::Forever))];
    for disabled in OFTEN {
        for all_muted in OFTEN {
            for exempt in [Circle::Nobody, Circle::Owner, Circle::Managers, Circle::Members] {
                let mut group = Group { disabled, all_muted, ..header_once() };
                group.policy.exempt = exempt;
                for role in [None, Some(Role::Member), Some(Role::Admin), Some(Role::Owner)] {
                    for (at, own) in holding.iter().enumerate() {
                        for allowed in OFTEN {
                            let speaker = Speaker {
                                user: &ben,
                                group: &group,
                                role,
                                mute: own.as_ref(),
                                everywhere: None,
                                allowed,
                                now: NOW,
                            };
                            let elsewhere = Speaker { mute: None, everywhere: own.as_ref(), ..speaker };
                            let verdict = may_speak(&speaker);
                            assert_eq!(verdict, may_speak(&elsewhere), "a mute counts the same wherever it is from");
                            let spared = match role {
                                Some(Role::Owner) => exempt != Circle::Nobody,
                                Some(Role::Admin) => matches!(exempt, Circle::Managers | Circle::Members),
                                _ => exempt == Circle::Members,
                            };
                            let wanted = if disabled {
                                "disabled"
                            } else if role.is_none() {
                                "outside"
                            } else if at > 1 {
                                "muted"
                            } else if all_muted && !allowed && !spared {
                                "all muted"
                            } else {
                                "heard"
                            };
                            assert_eq!(name_of(&verdict), wanted);
                        }
                    }
                }
            }
        }
    }
}

fn header_once() -> Group {
    static HEADER: std::sync::OnceLock<Group> = std::sync::OnceLock::new();
    HEADER.get_or_init(header).clone()
}

fn name_of(verdict: &Result<(), Refusal>) -> &'static str {
    match verdict {
        Ok(()) => "heard",
        Err(Refusal::GroupDisabled(_)) => "disabled",
        Err(Refusal::NotMembers { .. }) => "outside",
        Err(Refusal::Muted { everybody: false, .. }) => "muted",
        Err(Refusal::Muted { everybody: true, .. }) => "all muted",
        Err(other) => panic!("{other}"),
    }
}

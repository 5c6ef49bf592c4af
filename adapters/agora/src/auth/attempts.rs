//! Limits on password checks: wrong passwords by account and by address, and checks that wait, so that guessing does
//! not block users who know their passwords.

use std::net::IpAddr;

use conclave_core::model::Millis;
use foldhash::HashMap as Map;
use parking_lot::Mutex;

/// Most wrong passwords for one account from one address, and after what time one of them is forgotten.
const OF_ACCOUNT: Allowance = Allowance { most: 10, forgotten_ms: 10_000 };
/// Wrong passwords for all accounts from one address.
const OF_ADDRESS: Allowance = Allowance { most: 100, forgotten_ms: 1000 };
/// Most checks that wait or run for one address at once.
const WAITING_OF_ADDRESS: usize = 16;
/// Most checks that wait or run at once.
const WAITING: usize = 128;
/// Entries that are kept before expired ones are looked for.
const REMEMBERED: usize = 10_000;

/// The account and address of an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt<'a> {
    /// The account, unique among all apps.
    pub(crate) account: &'a str,
    /// The client's address; unknown addresses count as one.
    pub(crate) address: Option<IpAddr>,
}

#[derive(Debug, Clone, Copy)]
struct Allowance {
    most: u64,
    forgotten_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Account(String, Option<IpAddr>),
    Address(Option<IpAddr>),
}

impl Whose {
    fn allowance(&self) -> Allowance {
        match self {
            Self::Account(..) => OF_ACCOUNT,
            Self::Address(_) => OF_ADDRESS,
        }
    }
}

/// Recent wrong attempts, and waiting checks.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// When all wrong attempts of an entry are forgotten.
    wrong: Mutex<Map<Whose, Millis>>,
    waiting: Mutex<(usize, Map<Option<IpAddr>, usize>)>,
}

impl Attempts {
    /// Whether another attempt may be made.
    pub(crate) fn may_try(&self, attempt: Attempt<'_>, now: Millis) -> bool {
        let wrong = self.wrong.lock();
        keys(attempt).iter().all(|whose| {
            let Allowance { most, forgotten_ms } = whose.allowance();
            wrong.get(whose).is_none_or(|until| until.0.saturating_sub(now.0) < most * forgotten_ms)
        })
    }

    /// Records a wrong password.
    pub(crate) fn was_wrong(&self, attempt: Attempt<'_>, now: Millis) {
        let mut wrong = self.wrong.lock();
        if wrong.len() >= REMEMBERED {
            wrong.retain(|_, until| *until > now);
        }
        for whose in keys(attempt) {
            let longer = whose.allowance().forgotten_ms;
            let until = wrong.entry(whose).or_insert(now);
            *until = (*until).max(now).plus(longer);
        }
    }

    /// A slot for a waiting check; `None` when all are taken.
    pub(crate) fn wait(&self, attempt: Attempt<'_>) -> Option<Waiting<'_>> {
        let mut waiting = self.waiting.lock();
        let (all, by_address) = &mut *waiting;
        let of_address = by_address.entry(attempt.address).or_insert(0);
        if *all >= WAITING || *of_address >= WAITING_OF_ADDRESS {
            return None;
        }
        *of_address += 1;
        *all += 1;
        Some(Waiting { attempts: self, address: attempt.address })
    }
}

fn keys(attempt: Attempt<'_>) -> [Whose; 2] {
    [Whose::Account(attempt.account.to_owned(), attempt.address), Whose::Address(attempt.address)]
}

/// The slot of a check that waits or runs; freed on drop.
pub(crate) struct Waiting<'a> {
    attempts: &'a Attempts,
    address: Option<IpAddr>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut waiting = self.attempts.waiting.lock();
        waiting.0 -= 1;
        if let Some(count) = waiting.1.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                waiting.1.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_passwords_of_an_account_and_an_address_are_limited_and_forgotten() {
        let attempts = Attempts::default();
        let address = |last: u8| Some(IpAddr::from([1, 1, 1, last]));
        let of = |account: &'static str, last| Attempt { account, address: address(last) };
        let mut now = Millis(1_000_000);
        for _ in 0..10 {
            assert!(attempts.may_try(of("alice", 1), now));
            attempts.was_wrong(of("alice", 1), now);
        }
        assert!(!attempts.may_try(of("alice", 1), now));
        assert!(attempts.may_try(of("alice", 2), now), "the owner of the account comes from elsewhere");
        assert!(attempts.may_try(of("bob", 1), now));
        now = now.plus(10_001);
        assert!(attempts.may_try(of("alice", 1), now));
        for account in (0..100).map(|n| format!("user{n}")) {
            attempts.was_wrong(Attempt { account: &account, address: address(1) }, now);
        }
        assert!(!attempts.may_try(of("bob", 1), now));
        assert!(attempts.may_try(of("bob", 2), now));
    }

    #[test]
    fn what_waits_is_limited_by_address() {
        let attempts = Attempts::default();
        let of = |last: u8| Attempt { account: "a", address: Some(IpAddr::from([1, 1, 1, last])) };
        let mut waiting: Vec<_> = (0..WAITING_OF_ADDRESS).filter_map(|_| attempts.wait(of(1))).collect();
        assert!(attempts.wait(of(1)).is_none());
        assert!(attempts.wait(of(2)).is_some());
        waiting.pop();
        assert!(attempts.wait(of(1)).is_some());
    }
}

//! The limit of an account's failures. Strangers share a count. A browser that has signed in to the account
//! before has a count of its own, so that strangers cannot keep the owner out.

use crate::run::attempt::Call;
use crate::run::limit::Counter;
use crate::session::device;
use crate::{Config, Failure};
use action::{Action, Actor, Commit, Generation, Grant, Item, Key, Operation, RateLimit};
use auth::{Device, Devices};
use std::collections::BTreeMap;

/// The counters of an account, one of which applies to a request.
#[derive(Debug)]
pub(crate) struct AccountLimit {
    strangers: Counter,
    /// The browser, if it was known to the account, and its counter.
    device: Option<(Device, Counter)>,
    /// Whether it counts only requests that repeat an earlier one.
    pub(crate) only_repeats: bool,
}

/// The counter that applies to a request.
#[derive(Debug)]
pub(crate) struct AccountCounter {
    pub(crate) counter: Counter,
    /// The stored counter.
    stored: Option<Item>,
    pub(crate) only_repeats: bool,
}

impl AccountLimit {
    /// The limit of an action; `None` if the action has none.
    pub(crate) fn new(
        limit: &RateLimit,
        actor: Option<&Actor>,
        devices: &Devices,
        config: &Config,
        now: i64,
    ) -> Option<Self> {
        let (account, device) = match limit {
            RateLimit::Caller => return None,
            RateLimit::CallerAndAccount(account)
            | RateLimit::CallerAndRepeatsForAccount(account) => {
                (account.as_str(), devices.of_account(account, &config.keys))
            }
            RateLimit::CallerAndOwnAccount => {
                let user = &actor?.user;
                (user.as_str(), devices.of_user(user))
            }
        };
        let strangers = format!("account:{}", config.keys.sign("account", account));
        let of_device = |device: &Device| {
            let subject = format!("device:{}", device.id);
            (device.clone(), Counter::of_failures(&subject, now))
        };
        Some(Self {
            strangers: Counter::of_failures(&strangers, now),
            device: device.map(of_device),
            only_repeats: matches!(limit, RateLimit::CallerAndRepeatsForAccount(_)),
        })
    }

    /// What decides which counter applies, and the counters.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let mut keys = vec![self.strangers.key.clone()];
        if let Some((device, counter)) = &self.device {
            keys.extend([Key::generation(&device.user), counter.key.clone()]);
        }
        keys
    }

    /// The counter that applies: the browser's own, unless all sessions of the user have been ended since
    /// it was signed in with.
    pub(crate) fn choose(&self, items: &BTreeMap<Key, Item>) -> AccountCounter {
        let is_known = |(device, _): &&(Device, Counter)| {
            let generation = items.get(&Key::generation(&device.user));
            Generation::read(generation).generation == device.generation
        };
        let device = self.device.as_ref().filter(is_known);
        let counter = device.map_or(&self.strangers, |(_, counter)| counter);
        AccountCounter {
            stored: items.get(&counter.key).cloned(),
            counter: counter.clone(),
            only_repeats: self.only_repeats,
        }
    }
}

impl AccountCounter {
    /// Refuses the request if there are too many failures already.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.counter.check_stored(self.stored.as_ref())
    }
}

impl<A: Action> Call<'_, A> {
    /// The device cookie for a browser in which a session is opened. A browser that was signed in as the
    /// same user gets none, because then the session may be all that proves who the user is. Otherwise a
    /// stolen session could make any number of device cookies, each with its own count of guesses.
    pub(crate) fn known_device(&self, grant: &Grant) -> Option<String> {
        let own = self.live.as_ref();
        if own.is_some_and(|live| live.actor.user == grant.user) {
            return self.renewed_device(grant.generation?);
        }
        let limit = A::rate_limit(&self.app.context((), 0), &self.input).ok()?;
        let (RateLimit::CallerAndAccount(account) | RateLimit::CallerAndRepeatsForAccount(account)) =
            limit
        else {
            return None;
        };
        let user = (&grant.user, grant.generation?);
        let config = &self.app.config;
        let devices = self
            .devices
            .signed_in(&account, user, &config.keys, self.now)?;
        Some(device::cookie(&devices, config))
    }

    /// The device cookie for the browser of a user who ends all sessions, or all others: this browser stays
    /// known to the account, if it was.
    pub(crate) fn kept_device(&self, commit: &Commit<A::Output>) -> Option<String> {
        let live = self.live.as_ref()?;
        let generation = Key::generation(&live.actor.user);
        let written = commit.operations().iter().find_map(|one| match one {
            Operation::Put { key, item, .. } if *key == generation => item.as_object(),
            _ => None,
        });
        self.renewed_device(Generation::read(Some(written?)).generation)
    }

    /// The device cookie in another generation of the caller, if the browser is known to the account now.
    fn renewed_device(&self, generation: u64) -> Option<String> {
        let live = self.live.as_ref()?;
        let device = self.devices.of_user(&live.actor.user)?;
        if device.generation != live.session.generation || device.generation == generation {
            return None;
        }
        let devices = self.devices.in_generation(&device.user, generation);
        Some(device::cookie(&devices, &self.app.config))
    }
}

//! Device cookies: a browser proves with it that somebody has signed in to an account with it before.
//!
//! Wrong passwords of strangers keep an account from being guessed, and would keep its owner out too. So a
//! browser with a device cookie has a count of its own
//! ([OWASP](https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies)).
//! The cookie proves nothing else.

use crate::Keys;
use action::UserId;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// How long a browser is known after it was last signed in with, in seconds: 400 days, the longest that
/// browsers keep a cookie (RFC 6265bis, section 5.5).
pub const DEVICE_LIFETIME: i64 = 400 * 86_400;

/// How many accounts a browser is known for. The one that was signed in to first is forgotten.
const MOST: usize = 5;

const PURPOSE: &str = "devices";
const ACCOUNT: &str = "device account";

/// A browser that has signed in to an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Names the browser, for this account only: 128 random bits.
    pub id: String,
    /// The user whose account it is.
    pub user: UserId,
    /// The user's generation at the time. A new password and signing out everywhere increase it, and then
    /// the browser is a stranger again.
    pub generation: u64,
    /// The signature of the account's name, so that the cookie does not show the name.
    account: String,
    /// When it was signed in with, in seconds since 1970.
    since: i64,
}

/// The accounts that a browser has signed in to: the contents of its device cookie, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices(Vec<Device>);

impl Devices {
    /// Reads a cookie. If we did not make it, the browser is not known.
    #[must_use]
    pub fn open(cookie: &str, keys: &Keys, now: i64) -> Self {
        let text = keys.open(PURPOSE, cookie).unwrap_or_default();
        let devices = text.lines().filter_map(Device::parse);
        Self(devices.filter(|device| device.is_known(now)).collect())
    }

    /// The value of the cookie.
    #[must_use]
    pub fn seal(&self, keys: &Keys) -> String {
        let lines: Vec<_> = self.0.iter().map(Device::line).collect();
        keys.seal(PURPOSE, &lines.join("\n"))
    }

    /// The browser as it is known to the account with this name.
    #[must_use]
    pub fn of_account(&self, account: &str, keys: &Keys) -> Option<&Device> {
        let mut devices = self.0.iter();
        devices.find(|device| keys.verify(ACCOUNT, account, &device.account))
    }

    /// The browser as it is known to the user's account.
    #[must_use]
    pub fn of_user(&self, user: &UserId) -> Option<&Device> {
        self.0.iter().find(|device| device.user == *user)
    }

    /// The same browser after it has signed in to an account; `None` if the system has no randomness.
    #[must_use]
    pub fn signed_in(
        &self,
        account: &str,
        (user, generation): (&UserId, u64),
        keys: &Keys,
        now: i64,
    ) -> Option<Self> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).ok()?;
        let device = Device {
            id: URL_SAFE_NO_PAD.encode(id),
            user: user.clone(),
            generation,
            account: keys.sign(ACCOUNT, account),
            since: now,
        };
        let others = self.0.iter().filter(|device| device.user != *user);
        let all = std::iter::once(device).chain(others.cloned());
        Some(Self(all.take(MOST).collect()))
    }

    /// The same browser in another generation of the user.
    #[must_use]
    pub fn in_generation(&self, user: &UserId, generation: u64) -> Self {
        let mut devices = self.clone();
        for device in devices.0.iter_mut().filter(|device| device.user == *user) {
            device.generation = generation;
        }
        devices
    }
}

impl Device {
    fn line(&self) -> String {
        let Self {
            id,
            user,
            generation,
            account,
            since,
        } = self;
        format!("{id} {user} {generation} {account} {since}")
    }

    fn parse(line: &str) -> Option<Self> {
        let [id, user, generation, account, since] =
            line.split(' ').collect::<Vec<_>>().try_into().ok()?;
        Some(Self {
            id: id.to_owned(),
            user: UserId::parse(user).ok()?,
            generation: generation.parse().ok()?,
            account: account.to_owned(),
            since: since.parse().ok()?,
        })
    }

    fn is_known(&self, now: i64) -> bool {
        now < self.since.saturating_add(DEVICE_LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_800_000_000;

    fn keys() -> Keys {
        Keys::new(&[7; 32], None).unwrap()
    }

    fn user() -> UserId {
        uuid::Uuid::now_v7().into()
    }

    fn signed_in(devices: &Devices, account: &str, user: &UserId) -> Devices {
        let devices = devices.signed_in(account, (user, 3), &keys(), NOW);
        devices.expect("randomness")
    }

    #[test]
    fn a_browser_is_known_to_the_accounts_that_it_has_signed_in_to() {
        let (ada, eve) = (user(), user());
        let devices = signed_in(&Devices::default(), "ada@example.com", &ada);
        let devices = signed_in(&devices, "eve@example.com", &eve);
        let cookie = devices.seal(&keys());
        let read = Devices::open(&cookie, &keys(), NOW);
        assert_eq!(read, devices);
        let of = |account| read.of_account(account, &keys());
        assert_eq!(of("ada@example.com").map(|device| &device.user), Some(&ada));
        assert_eq!(of("eve@example.com"), read.of_user(&eve));
        assert_eq!(of("mia@example.com"), None);
        assert_eq!(read.of_user(&user()), None);
        let moved = read.in_generation(&ada, 4);
        assert_eq!(moved.of_user(&ada).map(|device| device.generation), Some(4));
        assert_eq!(moved.of_user(&eve), read.of_user(&eve));
    }

    #[test]
    fn a_browser_is_forgotten_after_400_days_and_knows_five_accounts() {
        let users: Vec<_> = (0..6).map(|_| user()).collect();
        let devices = users.iter().fold(Devices::default(), |devices, user| {
            signed_in(&devices, user.as_str(), user)
        });
        assert_eq!(devices.of_user(&users[0]), None);
        assert!(
            users[1..]
                .iter()
                .all(|user| devices.of_user(user).is_some())
        );
        let cookie = devices.seal(&keys());
        let last = NOW + DEVICE_LIFETIME;
        assert_eq!(Devices::open(&cookie, &keys(), last - 1), devices);
        assert_eq!(Devices::open(&cookie, &keys(), last), Devices::default());
        assert!(cookie.len() < 1_500, "{} bytes", cookie.len());
    }

    #[test]
    fn the_cookie_does_not_show_the_account_and_each_sign_in_has_its_own_id() {
        let ada = user();
        let [one, other] =
            [(), ()].map(|()| signed_in(&Devices::default(), "ada@example.com", &ada));
        let id = |devices: &Devices| devices.of_user(&ada).map(|device| device.id.clone());
        assert_ne!(id(&one), id(&other));
        let (text, _) = one
            .seal(&keys())
            .split_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
        assert!(!text.contains("ada@"), "{text}");
    }

    #[test]
    fn a_cookie_of_another_key_or_purpose_proves_nothing() {
        let ada = user();
        let devices = signed_in(&Devices::default(), "ada", &ada);
        let strange = Keys::new(&[8; 32], None).unwrap();
        let text: Vec<_> = devices.0.iter().map(Device::line).collect();
        for cookie in [
            devices.seal(&strange),
            keys().seal("token invitation", &text.join("\n")),
        ] {
            assert_eq!(Devices::open(&cookie, &keys(), NOW), Devices::default());
        }
        let rotated = Keys::new(&[8; 32], Some(&[7; 32])).unwrap();
        let read = Devices::open(&devices.seal(&keys()), &rotated, NOW);
        assert_eq!(read.of_account("ada", &rotated), devices.of_user(&ada));
    }

    proptest! {
        #[test]
        fn junk_is_no_device(text in ".{0,200}") {
            prop_assert_eq!(Devices::open(&text, &keys(), NOW), Devices::default());
        }
    }
}

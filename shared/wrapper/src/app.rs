//! What all functions of a process share: the clients of the table, of CloudFront and of SES, and the
//! configuration.

use crate::purging::{InlinePurges, Revalidation};
use crate::view::openings::Openings;
use action::{Context, Layout, OtherOrganization, Seal, Source};
use auth::{Keys, Secrets, SecretsError};
use aws::{Access, EnvironmentError};
use cdn::{CloudFront, Invalidations};
use jiff::Timestamp;
use mail::{Mailer, Ses};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{Allowance, Store, TableSettings};
use uuid::Uuid;

/// Renders an error page from the layout if the caller is signed in, the status, the message and the
/// request's id.
pub type ErrorPage = fn(Option<&Layout>, u16, &str, &str) -> String;

/// Renders the page that offers to switch to another organisation of the user, in which the requested page
/// is.
pub type SwitchPage = fn(&Layout, &OtherOrganization) -> String;

/// What the wrapper needs to know about the product's pages.
#[derive(Debug, Clone, Copy)]
pub struct Site {
    /// Renders an error page.
    pub error_page: ErrorPage,
    /// Renders the page for a link into another organisation of the user.
    pub switch_page: SwitchPage,
    /// The path of the sign-in page. The wrapper adds the query `return_to={path}`.
    pub sign_in: &'static str,
}

/// Writes one line of the log: a JSON object.
pub type Log = fn(&serde_json::Value);

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether browsers use https: always, except on a developer's machine.
    pub https: bool,
    /// The origins whose pages may send forms: `scheme://host[:port]`.
    pub allowed_origins: Vec<String>,
    /// The secrets, up to two, that prove that a request came through the edge; empty if there is no
    /// edge.
    pub origin_secrets: Vec<String>,
    /// The keys that sign sessions and cursors.
    pub keys: Keys,
    /// How many actions a user may run in 60 s; 0 for no limit.
    pub rate_limit_per_user: u64,
    /// How many actions signed-out users may run from one IP address in 60 s; 0 for no limit.
    pub rate_limit_per_ip: u64,
    /// The largest decoded request body, in bytes.
    pub body_limit: usize,
    /// When stale pages are purged.
    pub revalidation: Revalidation,
    /// How long an action waits for CloudFront to accept a purge. If that takes longer, the purge is
    /// left to the outbox.
    pub inline_purge_timeout: Duration,
    /// A page is cached only if its data has not changed for this long.
    pub quiet_time: Duration,
    /// How many purges may be bought. A page is cached only if it covers what that can cost.
    pub allowance: Allowance,
    /// How long a response waits for work that does not change it, such as the count of a refused
    /// request.
    pub best_effort_timeout: Duration,
    /// Writes the log lines.
    pub log: Log,
}

/// An environment variable is missing or wrong.
#[derive(Debug)]
pub struct ConfigError(String);

impl From<EnvironmentError> for ConfigError {
    fn from(error: EnvironmentError) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// The default largest body: 1 MiB.
    pub const BODY_LIMIT: usize = 1 << 20;

    /// The default of [`Config::inline_purge_timeout`].
    pub const INLINE_PURGE_TIMEOUT: Duration = Duration::from_millis(300);

    /// The default of [`Config::quiet_time`].
    pub const QUIET_TIME: Duration = Duration::from_secs(60);

    /// The default of [`Config::allowance`]: what CloudFront gives free.
    pub const PURGE_BUDGET: u64 = 1_000;

    /// The default of [`Config::best_effort_timeout`].
    pub const BEST_EFFORT_TIMEOUT: Duration = Duration::from_millis(300);

    /// The configuration of a function on Lambda.
    ///
    /// | variable | meaning | default |
    /// |---|---|---|
    /// | `SECRETS`, `SECRETS_IN_USE` | behind an edge: `{A}.{B}`, and which one is in use; see [`Secrets`] | none, `A` |
    /// | `SESSION_KEY` | without an edge: signs sessions, at least 32 bytes | required unless `SECRETS` is set |
    /// | `ALLOWED_ORIGINS` | comma-separated origins | none |
    /// | `RATE_LIMIT_PER_USER`, `RATE_LIMIT_PER_IP` | per 60 s, 0 for none | 120, 30 |
    /// | `BODY_LIMIT` | bytes | 1048576 |
    /// | `REVALIDATION` | `inline` or `background`: see [`Revalidation`] | `inline` |
    /// | `QUIET_TIME` | seconds: see [`Config::quiet_time`] | 60 |
    /// | `PURGE_BUDGET` | purges a month: see [`Config::allowance`] | 1000 |
    /// | `PUBLIC_SCHEME` | `http` only for development on one machine | `https` |
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable.
    pub fn from_env() -> Result<Self, ConfigError> {
        let (keys, origin_secrets) = secrets_from_env()?;
        Ok(Self {
            https: text("PUBLIC_SCHEME").as_deref() != Some("http"),
            allowed_origins: text("ALLOWED_ORIGINS")
                .map(|list| {
                    list.split(',')
                        .map(|origin| origin.trim().to_owned())
                        .collect()
                })
                .unwrap_or_default(),
            origin_secrets,
            keys,
            rate_limit_per_user: Self::number("RATE_LIMIT_PER_USER", 120)?,
            rate_limit_per_ip: Self::number("RATE_LIMIT_PER_IP", 30)?,
            body_limit: usize::try_from(Self::number("BODY_LIMIT", Self::BODY_LIMIT as u64)?)
                .map_err(|_| ConfigError("BODY_LIMIT is too large".to_owned()))?,
            revalidation: match text("REVALIDATION").as_deref() {
                None | Some("inline") => Revalidation::Inline,
                Some("background") => Revalidation::Background,
                Some(other) => {
                    return Err(ConfigError(format!(
                        "REVALIDATION is neither inline nor background: {other:?}"
                    )));
                }
            },
            inline_purge_timeout: Self::INLINE_PURGE_TIMEOUT,
            quiet_time: Duration::from_secs(Self::number(
                "QUIET_TIME",
                Self::QUIET_TIME.as_secs(),
            )?),
            allowance: Allowance {
                a_month: Self::number("PURGE_BUDGET", Self::PURGE_BUDGET)?,
            },
            best_effort_timeout: Self::BEST_EFFORT_TIMEOUT,
            log: |line| println!("{line}"),
        })
    }

    /// Reads a whole number from an environment variable.
    ///
    /// # Errors
    /// [`ConfigError`] if the variable is set but is not a whole number.
    pub fn number(name: &str, default: u64) -> Result<u64, ConfigError> {
        match text(name) {
            None => Ok(default),
            Some(text) => text
                .parse()
                .map_err(|_| ConfigError(format!("{name} is not a whole number: {text:?}"))),
        }
    }
}

/// The keys that sign sessions, and what the edge may send.
fn secrets_from_env() -> Result<(Keys, Vec<String>), ConfigError> {
    if let Some(secrets) = text("SECRETS") {
        let in_use = text("SECRETS_IN_USE").unwrap_or_else(|| "A".to_owned());
        let secrets = Secrets::parse(&secrets, &in_use).map_err(|e| match e {
            SecretsError::Malformed => ConfigError(format!("SECRETS: {e}")),
            SecretsError::InUse => ConfigError(format!("SECRETS_IN_USE: {e}")),
        })?;
        let keys = secrets.keys();
        let keys = keys.map_err(|e| ConfigError(format!("SECRETS: {e}")))?;
        return Ok((keys, secrets.origin()));
    }
    let key = text("SESSION_KEY");
    let key =
        key.ok_or_else(|| ConfigError("neither SECRETS nor SESSION_KEY is set".to_owned()))?;
    let keys = Keys::new(key.as_bytes(), None);
    Ok((
        keys.map_err(|e| ConfigError(format!("SESSION_KEY: {e}")))?,
        Vec::new(),
    ))
}

fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The clients and the configuration, shared by all functions of the process.
pub struct App {
    /// The table.
    pub store: Store,
    /// The client of CloudFront.
    pub invalidations: Invalidations,
    /// The client that sends emails.
    pub mailer: Mailer,
    /// Whether actions purge now, after recent failures of CloudFront.
    pub(crate) inline: InlinePurges,
    /// What is known about the marks of tags.
    pub(crate) openings: Openings,
    /// The configuration.
    pub config: Config,
    /// The product's pages.
    pub(crate) site: Site,
    seal: Arc<dyn Seal>,
    warm: AtomicBool,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("store", &self.store)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl App {
    /// An app with these clients that sends no email.
    #[must_use]
    pub fn new(
        store: Store,
        invalidations: Invalidations,
        config: Config,
        site: Site,
    ) -> Arc<Self> {
        Self::with_mail(store, invalidations, Mailer::default(), config, site)
    }

    /// An app with these clients.
    #[must_use]
    pub fn with_mail(
        store: Store,
        invalidations: Invalidations,
        mailer: Mailer,
        config: Config,
        site: Site,
    ) -> Arc<Self> {
        let seal = Arc::new(config.keys.clone());
        Arc::new(Self {
            store,
            invalidations,
            mailer,
            inline: InlinePurges::default(),
            openings: Openings::default(),
            config,
            site,
            seal,
            warm: AtomicBool::new(false),
        })
    }

    /// The app of a function on Lambda, configured by environment variables.
    ///
    /// # Errors
    /// [`ConfigError`], which names the variable that is missing or wrong.
    pub fn from_env(site: Site) -> Result<Arc<Self>, ConfigError> {
        let config = Config::from_env()?;
        let access = Access::from_env()?;
        let edge = CloudFront::from_env(access.clone())?;
        let mail = Ses::from_env(access.clone())?;
        let table = TableSettings::from_env(access)?;
        Ok(Self::with_mail(
            Store::connect(table),
            Invalidations::connect(edge),
            Mailer::connect(mail),
            config,
            site,
        ))
    }

    /// The context of one run, at the current time and with new random numbers.
    #[must_use]
    pub fn context<C>(&self, caller: C, attempt: u32) -> Context<C> {
        let source = Source::new(Timestamp::now(), random_seed());
        Context::new(caller, attempt, source, Arc::clone(&self.seal))
    }

    /// Whether this is the first request of the process.
    pub(crate) fn is_cold_start(&self) -> bool {
        !self.warm.swap(true, Ordering::Relaxed)
    }
}

/// 244 random bits, from the system.
fn random_seed() -> [u8; 32] {
    let mut seed = [0; 32];
    let (left, right) = seed.split_at_mut(16);
    left.copy_from_slice(Uuid::new_v4().as_bytes());
    right.copy_from_slice(Uuid::new_v4().as_bytes());
    seed
}

#[cfg(test)]
impl Config {
    /// A configuration for unit tests, with https or without, and without limits.
    pub(crate) fn for_tests(https: bool) -> Self {
        Self {
            https,
            allowed_origins: Vec::new(),
            origin_secrets: Vec::new(),
            keys: Keys::new(&[7; 32], None).expect("a strong key"),
            rate_limit_per_user: 0,
            rate_limit_per_ip: 0,
            body_limit: 1,
            revalidation: Revalidation::Inline,
            inline_purge_timeout: Self::INLINE_PURGE_TIMEOUT,
            quiet_time: Duration::ZERO,
            allowance: Allowance { a_month: 0 },
            best_effort_timeout: Self::BEST_EFFORT_TIMEOUT,
            log: |_| (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use action::UserId;
    use std::collections::BTreeSet;

    #[test]
    fn every_run_gets_its_own_ids() {
        let url = "http://127.0.0.1:1";
        let app = App::new(
            Store::connect(TableSettings::local(url, "edge-crm")),
            Invalidations::connect(CloudFront::local(url)),
            Config::for_tests(true),
            Site {
                error_page: |_, _, _, _| String::new(),
                switch_page: |_, _| String::new(),
                sign_in: "/sign-in",
            },
        );
        let ids: BTreeSet<UserId> = (0..1_000).map(|_| app.context((), 0).new_id()).collect();
        assert_eq!(ids.len(), 1_000);
    }
}

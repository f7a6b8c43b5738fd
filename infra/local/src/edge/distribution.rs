//! A distribution: its cache, its settings, and the API that invalidates.
//!
//! It exists before the functions do, because they are told where its API is.

use super::api::Api;
use super::cache::Cache;
use super::faults::{Counters, Faults, Tally};
use crate::data_dir::DataError;
use crate::server::Server;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::net::TcpListener;

/// What a deployment decides about a distribution.
#[derive(Clone)]
pub struct DistributionSettings {
    /// Its id.
    pub id: String,
    /// Its domain name.
    pub domain: String,
    /// The port that viewers come in at.
    pub port: u16,
    /// What it proves itself with to the functions, in every reference of the template.
    pub origin_secret: String,
    /// The name of the session cookie: the template has `__Host-session`, which a browser takes
    /// over https only.
    pub session_cookie: String,
    /// The key that signs sessions.
    pub session_key: String,
    /// The key before it.
    pub session_key_previous: Option<String>,
}

impl fmt::Debug for DistributionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DistributionSettings")
            .field("id", &self.id)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl DistributionSettings {
    /// The settings on this machine, without https: sessions are signed with `session_key`, and
    /// the origin secret is a new one.
    ///
    /// # Errors
    /// [`DataError::Random`] where the system has no random bytes.
    pub fn local(port: u16, session_key: &str) -> Result<Self, DataError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        Ok(Self {
            id: "ELOCAL0000000".to_owned(),
            domain: "edge-crm.localhost".to_owned(),
            port,
            origin_secret: BASE64_URL_SAFE_NO_PAD.encode(secret),
            session_cookie: "session".to_owned(),
            session_key: session_key.to_owned(),
            session_key_previous: None,
        })
    }
}

/// A distribution whose API can be called. Cheap to clone; the API ends with the last clone.
#[derive(Clone)]
pub struct Distribution {
    pub(super) state: Arc<State>,
    endpoint: Arc<str>,
    _api: Arc<Server>,
}

impl fmt::Debug for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Distribution")
            .field(&self.state.settings)
            .finish()
    }
}

/// What the API and the front share.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settings: DistributionSettings,
    pub(super) cache: Cache,
    pub(super) tally: Tally,
    faults: RwLock<Faults>,
}

impl State {
    pub(super) fn faults(&self) -> Faults {
        *self.faults.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Distribution {
    /// Starts a distribution with an empty cache, and its API at a free port of this machine.
    ///
    /// # Errors
    /// Where no port can be listened at.
    pub async fn start(settings: DistributionSettings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?).into();
        let state = Arc::new(State {
            settings,
            cache: Cache::new(),
            tally: Tally::default(),
            faults: RwLock::default(),
        });
        let api = Server::start(listener, Api::new(Arc::clone(&state)));
        Ok(Self {
            state,
            endpoint,
            _api: Arc::new(api),
        })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.state.settings.id
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &DistributionSettings {
        &self.state.settings
    }

    /// Where CloudFront's API is, as the SDK wants it.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// From now on this goes wrong, instead of what did.
    pub fn set_faults(&self, faults: Faults) {
        *self
            .state
            .faults
            .write()
            .unwrap_or_else(PoisonError::into_inner) = faults;
    }

    /// What has been counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state.tally.read()
    }
}

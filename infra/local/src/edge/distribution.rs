//! A distribution: its state, and the API that invalidates.
//!
//! It is created before the functions, because they need the URL of its API.

use super::api::Api;
use super::faults::{Counters, Faults};
use super::settings::DistributionSettings;
use super::state::State;
use crate::secret_path::SecretPath;
use crate::server::Server;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A distribution with a running API. Cheap to clone; the API stops when the last clone is
/// dropped.
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

impl Distribution {
    /// Starts a distribution with an empty cache, and its API at a free port of this machine.
    ///
    /// # Errors
    /// If it cannot listen on any port.
    pub async fn start(settings: DistributionSettings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let secret = SecretPath::random();
        let endpoint = secret.endpoint(listener.local_addr()?).into();
        let state = Arc::new(State::new(settings));
        let api = Server::start(listener, Api::new(Arc::clone(&state), secret));
        Ok(Self {
            state,
            endpoint,
            _api: Arc::new(api),
        })
    }

    /// The distribution's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.state.settings.id
    }

    /// The distribution's settings.
    #[must_use]
    pub fn settings(&self) -> &DistributionSettings {
        &self.state.settings
    }

    /// The URL of CloudFront's API, as the SDK expects it. It contains a secret: whoever knows the URL
    /// may call the API.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Replaces the faults that are injected from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state.set_faults(faults);
    }

    /// The counts since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state.counters.read()
    }
}

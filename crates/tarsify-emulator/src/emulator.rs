//! The emulator: its endpoints, created at their first use, and the server.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::behaviour::{Behaviour, BehaviourError, ScriptError};
use crate::counts::CallCounts;
use crate::courier::{Background, Courier};
use crate::endpoint::{Endpoint, Surroundings};
use crate::http;
use crate::settings::EmulatorSettings;

const THREADS: usize = 2;
/// How long open calls may still take once it is asked to stop.
const PATIENCE_SECONDS: u64 = 2;
const LONGEST_ID: usize = 64;

/// A RunPod of one's own. Clones are the same emulator.
#[derive(Clone)]
pub struct Emulator {
    shared: Arc<Shared>,
}

/// Why an emulator cannot be made.
#[derive(Debug, Error)]
pub enum EmulatorError {
    /// There is no client for webhooks.
    #[error("the client that sends webhooks cannot be made")]
    Client(#[source] reqwest::Error),
    /// Its script cannot be followed.
    #[error("the emulator's script cannot be followed")]
    Script(#[source] ScriptError),
}

pub(crate) struct Shared {
    pub(crate) around: Surroundings,
    endpoints: Mutex<HashMap<String, Arc<Endpoint>>>,
}

impl Emulator {
    /// An emulator without endpoints.
    ///
    /// # Errors
    /// When its script names what cannot be, or no client for webhooks can be made.
    pub fn new(settings: EmulatorSettings) -> Result<Self, EmulatorError> {
        if let Some(script) = &settings.script {
            script.check().map_err(EmulatorError::Script)?;
        }
        let courier = Courier::new(&settings).map_err(EmulatorError::Client)?;
        let around = Surroundings {
            settings: Arc::new(settings),
            courier,
            background: Background::default(),
        };
        let shared = Shared {
            around,
            endpoints: Mutex::default(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Adds the routes to a server: `/v2/…` and `/emulator/…`. A middleware that encodes bodies
    /// keeps the faults from dropping connections.
    pub fn configure(&self) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
        let shared = Data::from(Arc::clone(&self.shared));
        move |config: &mut ServiceConfig| {
            config.app_data(shared.clone()).configure(http::routes);
        }
    }

    /// Serves until it is asked to stop.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) -> io::Result<()> {
        let configure = self.configure();
        let server = HttpServer::new(move || App::new().configure(configure.clone()))
            .workers(THREADS)
            .disable_signals()
            .shutdown_timeout(PATIENCE_SECONDS)
            .listen(listener)?
            .run();
        let handle = server.handle();
        let stop = async {
            shutdown.cancelled().await;
            self.shared.around.background.stop.cancel();
            handle.stop(true).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = server => ended,
            () = stop => Ok(()),
        }
    }

    /// Sets how an endpoint behaves from now on; its jobs, counts and earlier draws stay as they are.
    ///
    /// # Errors
    /// When the behaviour, or the endpoint's id, cannot be.
    pub fn set_behaviour(
        &self,
        endpoint: &str,
        behaviour: Behaviour,
    ) -> Result<(), BehaviourError> {
        behaviour.check()?;
        self.shared.set_behaviour(endpoint, behaviour)
    }

    /// How an endpoint behaves.
    #[must_use]
    pub fn behaviour(&self, endpoint: &str) -> Behaviour {
        let known = self.shared.known(endpoint);
        known.map_or_else(Behaviour::default, |endpoint| endpoint.behaviour())
    }

    /// How often each call was received at an endpoint.
    #[must_use]
    pub fn counts(&self, endpoint: &str) -> CallCounts {
        let known = self.shared.known(endpoint);
        known.map_or_else(CallCounts::default, |endpoint| endpoint.counts())
    }

    /// The jobs that an endpoint keeps, and the status of each as clients see it.
    #[must_use]
    pub fn statuses(&self, endpoint: &str) -> BTreeMap<String, String> {
        let Some(endpoint) = self.shared.known(endpoint) else {
            return BTreeMap::new();
        };
        let statuses = endpoint.statuses().into_iter();
        statuses
            .map(|(id, status)| (id, status.name().to_owned()))
            .collect()
    }
}

impl Shared {
    /// The endpoint, created if it was not there.
    pub(crate) fn endpoint(&self, id: &str) -> Result<Arc<Endpoint>, BehaviourError> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(fine) {
            return Err(BehaviourError::Endpoint(
                id.chars().take(LONGEST_ID).collect(),
            ));
        }
        let mut endpoints = self.endpoints();
        if let Some(endpoint) = endpoints.get(id) {
            return Ok(Arc::clone(endpoint));
        }
        if endpoints.len() >= self.around.settings.max_endpoints {
            return Err(BehaviourError::TooManyEndpoints(endpoints.len()));
        }
        let endpoint = Endpoint::create(id, self.around.clone());
        endpoints.insert(id.to_owned(), Arc::clone(&endpoint));
        Ok(endpoint)
    }

    /// Expects a behaviour that was checked.
    pub(crate) fn set_behaviour(
        &self,
        id: &str,
        behaviour: Behaviour,
    ) -> Result<(), BehaviourError> {
        self.endpoint(id)?.set_behaviour(behaviour);
        Ok(())
    }

    fn known(&self, id: &str) -> Option<Arc<Endpoint>> {
        self.endpoints().get(id).map(Arc::clone)
    }

    fn endpoints(&self) -> MutexGuard<'_, HashMap<String, Arc<Endpoint>>> {
        self.endpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.around.background.stop.cancel();
    }
}

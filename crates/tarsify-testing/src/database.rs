//! A PostgreSQL database for one test: a clone of a template that is migrated once. All of
//! them live in one private server, which the test processes of a build share and which stops
//! by itself after the last of them.

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use tarsify_local_postgres::{Durability, LocalPostgres, LocalPostgresSettings};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{OnceCell, oneshot};

use crate::builders::unique;

/// Every database of a test is called so, with the process and a number behind it.
const PREFIX: &str = "tarsify_test";

/// A database that is dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    server: &'static Server,
    name: String,
    url: String,
}

impl TestDatabase {
    /// A clone of the template with this name, which `migrate` makes through the URL it is
    /// given, unless it was made before. The name has to change with the migrations: a
    /// template is never looked into again.
    ///
    /// # Panics
    /// When there is no PostgreSQL, or it refuses, or `migrate` fails. The message says why.
    pub async fn create<E>(
        template: &str,
        migrate: impl AsyncFnOnce(String) -> Result<(), E>,
    ) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let server = Server::shared().await;
        server.ensure_template(template, migrate).await;
        let name = new_name();
        let url = server.clone_database(template, &name).await;
        Self { server, name, url }
    }

    /// A clone of a template that `migrate` brings to the schema of the workspace's own
    /// migrations. It is made anew whenever these were built in anew.
    ///
    /// # Panics
    /// As [`TestDatabase::create`].
    pub async fn migrated<E>(migrate: impl AsyncFnOnce(String) -> Result<(), E>) -> Self
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self::create(concat!("tarsify_schema_", env!("MIGRATIONS")), migrate).await
    }

    /// A database with nothing in it, for tests of the migrations themselves.
    ///
    /// # Panics
    /// When there is no PostgreSQL, or it refuses. The message says why.
    pub async fn empty() -> Self {
        let server = Server::shared().await;
        let name = new_name();
        // A process before us may have had our id.
        let made = async {
            server.postgres.drop_database(&name).await?;
            server.postgres.create_database_if_absent(&name).await
        };
        made.await.unwrap_or_else(|error| stop_the_test(&error));
        let url = server.postgres.url(&name);
        Self { server, name, url }
    }

    /// Where to connect.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    /// Does not wait; what is not dropped before the process ends is dropped by the next one.
    fn drop(&mut self) {
        let (postgres, name) = (&self.server.postgres, self.name.clone());
        drop(self.server.runtime.spawn(async move {
            drop(postgres.drop_database(&name).await);
        }));
    }
}

fn new_name() -> String {
    format!("{PREFIX}_{}_{}", process::id(), unique())
}

/// A template that this process has made or found, or why it could not.
type Template = Arc<OnceCell<Result<(), String>>>;

/// This process's share in the private server.
#[derive(Debug)]
struct Server {
    postgres: LocalPostgres,
    /// The runtime that watches the server. Each test has a runtime of its own that ends with
    /// it, so this one lives on a thread that never ends.
    runtime: Handle,
    templates: Mutex<HashMap<String, Template>>,
}

impl Server {
    async fn shared() -> &'static Self {
        static SHARED: LazyLock<OnceCell<Result<Server, String>>> = LazyLock::new(OnceCell::new);
        let started = SHARED.get_or_init(Self::start_on_its_own_thread).await;
        match started {
            Ok(server) => server,
            Err(message) => panic!("no database for this test: {message}"),
        }
    }

    async fn start_on_its_own_thread() -> Result<Self, String> {
        let (sender, receiver) = oneshot::channel();
        let on_thread = move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime can be made");
            runtime.block_on(async move {
                let server = Self::start().await.map_err(|error| explain(&error));
                let goes_on = server.is_ok();
                if sender.send(server).is_ok() && goes_on {
                    std::future::pending::<()>().await;
                }
            });
        };
        let thread = thread::Builder::new().name("test-postgres".into());
        thread.spawn(on_thread).expect("a thread can be started");
        receiver.await.expect("the thread answers")
    }

    async fn start() -> Result<Self, tarsify_local_postgres::LocalPostgresError> {
        let settings = LocalPostgresSettings {
            data_dir: data_folder(),
            binaries: variable("PG_BIN").map(PathBuf::from),
            search_path: variable("PATH"),
            durability: Durability::Volatile,
        };
        let postgres = LocalPostgres::start(settings).await?;
        postgres.drop_orphans(PREFIX).await?;
        Ok(Self {
            postgres,
            runtime: Handle::current(),
            templates: Mutex::default(),
        })
    }

    /// Asks the server once in a process; tests that come meanwhile wait for the same answer.
    async fn ensure_template<E>(
        &self,
        name: &str,
        migrate: impl AsyncFnOnce(String) -> Result<(), E>,
    ) where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let template = {
            let mut templates = self
                .templates
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(templates.entry(name.to_owned()).or_default())
        };
        let made = template.get_or_init(async || {
            let made = self.postgres.ensure_template(name, migrate).await;
            made.map_err(|error| explain(&error))
        });
        if let Err(message) = made.await {
            panic!("no template for this test: {message}");
        }
    }

    async fn clone_database(&self, template: &str, name: &str) -> String {
        let first_try = self.postgres.clone_database(template, name).await;
        if let Ok(url) = first_try {
            return url;
        }
        // A process before us may have had our id and left its database.
        let again = async {
            self.postgres.drop_database(name).await?;
            self.postgres.clone_database(template, name).await
        };
        again.await.unwrap_or_else(|error| stop_the_test(&error))
    }
}

/// Beside the build's own output, so that each checkout has its own server and `cargo clean`
/// forgets it.
fn data_folder() -> PathBuf {
    let program = env::current_exe().expect("a test knows where its program is");
    let dependencies = program.ancestors().find(|folder| folder.ends_with("deps"));
    let build = dependencies.and_then(Path::parent);
    // Programs of documentation tests stand elsewhere.
    let folder = build.or_else(|| program.parent());
    folder
        .expect("a program is in a folder")
        .join("test-postgres")
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no configuration: where PostgreSQL is, only the environment says"
)]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    env::var_os(name)
}

fn stop_the_test(error: &dyn Error) -> ! {
    panic!("no database for this test: {}", explain(error));
}

/// The error with everything behind it.
fn explain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(message, ": {error}").expect("a string takes text");
        cause = error.source();
    }
    message
}

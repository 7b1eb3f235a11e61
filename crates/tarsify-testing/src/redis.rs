//! A private Redis server for one test, which can be killed, frozen and started again on the same
//! port. It keeps nothing on disk.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often another port is tried, for somebody else may have taken the free one meanwhile.
const PORTS: u32 = 5;

/// A Redis server of a test's own. It is killed with this value.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    password: Option<String>,
    folder: PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one on a free port.
    ///
    /// # Panics
    /// When there is no `redis-server`, or it does not start. The message says why.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts one that asks for this password.
    ///
    /// # Panics
    /// As [`RedisServer::start`].
    #[must_use]
    pub fn with_password(password: &str) -> Self {
        Self::start_with(Some(password.to_owned()))
    }

    fn start_with(password: Option<String>) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("tarsify-redis-{}-{number}", process::id()));
        fs::create_dir_all(&folder).expect("the temporary folder can be written");
        for _ in 0..PORTS {
            let mut server = Self {
                port: free_port(),
                password: password.clone(),
                folder: folder.clone(),
                child: None,
            };
            if server.try_begin() {
                return server;
            }
        }
        panic!("redis-server does not start: {PORTS} free ports were tried");
    }

    /// The URL that it is reached at.
    #[must_use]
    pub fn url(&self) -> String {
        let password = self.password.as_ref();
        let password = password.map_or_else(String::new, |password| format!(":{password}@"));
        format!("redis://{password}127.0.0.1:{}", self.port)
    }

    /// Starts it again after [`RedisServer::kill`], empty.
    ///
    /// # Panics
    /// When it does not start.
    pub fn begin(&mut self) {
        assert!(self.try_begin(), "redis-server does not start again");
    }

    /// Ends it at once, as `kill -9` does.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("Redis runs");
        child.kill().expect("Redis can be killed");
        child.wait().expect("Redis ends");
    }

    /// Stops it without closing anything: whoever asks waits.
    pub fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    /// The first line of its answer to a command.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn ask(&self, command: &str) -> String {
        self.try_ask(command).expect("Redis answers")
    }

    fn try_begin(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .arg("--dir")
            .arg(&self.folder);
        if let Some(password) = &self.password {
            command.args(["--requirepass", password]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("redis-server cannot be started ({error}): scripts/test installs it, or your package manager (redis-server, or redis)")
        });
        let child = self.child.insert(child);
        let started = Instant::now();
        loop {
            if child.try_wait().expect("Redis can be looked at").is_some() {
                self.child = None;
                return false;
            }
            if matches!(ask(self.port, self.password.as_deref(), "PING"), Ok(pong) if pong == "+PONG")
            {
                return true;
            }
            assert!(started.elapsed() < PATIENCE, "redis-server does not start");
            sleep(Duration::from_millis(10));
        }
    }

    fn try_ask(&self, command: &str) -> std::io::Result<String> {
        ask(self.port, self.password.as_deref(), command)
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("Redis runs");
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("there is a kill").success());
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ended = child.kill().and_then(|()| child.wait());
        }
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("it has an address").port()
}

fn ask(port: u16, password: Option<&str>, command: &str) -> std::io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut answers = BufReader::new(stream.try_clone()?).lines();
    if let Some(password) = password {
        stream.write_all(format!("AUTH {password}\r\n").as_bytes())?;
        answers.next().transpose()?;
    }
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    answers.next().transpose().map(Option::unwrap_or_default)
}

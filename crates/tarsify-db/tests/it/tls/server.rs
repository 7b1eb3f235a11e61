//! A PostgreSQL of its own on a port of 127.0.0.1, with or without TLS. It ends, and its folder
//! goes, when the process of the tests does.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use tarsify_testing::TestDatabase;

use super::certificates::{self, Certificates};
use crate::support::Outside;

pub(super) const PASSWORD: &str = "swordfish-7";

/// Does TLS, and lets nobody in over the network without, except one who may not with it.
pub(super) static SECURE: LazyLock<Server> = LazyLock::new(|| {
    let access = "hostnossl all without 127.0.0.1/32 scram-sha-256\n\
        hostssl all tarsify 127.0.0.1/32 scram-sha-256\n";
    Server::start(access, Some(&["localhost", "127.0.0.1"]))
});

/// Does TLS with a certificate for another host.
pub(super) static ELSEWHERE: LazyLock<Server> = LazyLock::new(|| {
    let access = "hostssl all tarsify 127.0.0.1/32 scram-sha-256\n";
    Server::start(access, Some(&["elsewhere.example"]))
});

/// Does no TLS.
pub(super) static PLAIN: LazyLock<Server> = LazyLock::new(|| {
    let access = "host all tarsify 127.0.0.1/32 scram-sha-256\n";
    Server::start(access, None)
});

/// Ends the server when its own input ends, which is when the tests' process does.
const KEEPER: &str = r#"
folder=$1; shift
"$@" & server=$!
read -r _
kill -QUIT "$server"
wait "$server"
rm -rf "$folder"
"#;

pub(super) struct Server {
    pub(super) port: u16,
    pub(super) certificates: Certificates,
    folder: PathBuf,
    _keeper: Child,
}

/// What the tests' shared server runs with, and so what fits this machine.
struct Installed {
    binaries: PathBuf,
    /// Who the server is, because PostgreSQL refuses to be root.
    user: (u32, u32),
    /// Who we are.
    caller: (u32, u32),
}

impl Server {
    fn start(access: &str, names: Option<&[&str]>) -> Self {
        // A test's own runtime cannot be waited on from within.
        let installed = thread::scope(|scope| scope.spawn(installed).join().unwrap());
        let folder = tempfile::Builder::new().prefix("tls-").tempdir().unwrap();
        let folder = folder.keep();
        let cluster = folder.join("cluster");
        let certificates = certificates::make(&folder, names.unwrap_or(&["localhost"]));
        fs::write(folder.join("password"), PASSWORD).unwrap();
        let key = folder.join("server.key");
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        let (user, group) = installed.user;
        for path in [folder.as_path(), &key] {
            chown(path, Some(user), Some(group)).unwrap();
        }
        let mut initdb = installed.command("initdb");
        initdb
            .args(["--username=tarsify", "--auth=scram-sha-256", "--no-sync"])
            .args(["--encoding=UTF8", "--locale=C", "-D"])
            .arg(&cluster)
            .arg("--pwfile")
            .arg(folder.join("password"));
        let said = initdb.output().unwrap();
        assert!(said.status.success(), "{said:?}");
        let access = format!("local all all trust\n{access}");
        fs::write(cluster.join("pg_hba.conf"), access).unwrap();
        let ssl = if names.is_some() { "on" } else { "off" };
        let (port, keeper) = installed.serve(&folder, ssl);
        let server = Self {
            port,
            certificates,
            folder,
            _keeper: keeper,
        };
        server.add_user();
        server
    }

    /// The address of the administrator, by his password.
    pub(super) fn url(&self, host: &str, wishes: &str) -> String {
        self.url_of("tarsify", host, wishes)
    }

    pub(super) fn url_of(&self, user: &str, host: &str, wishes: &str) -> String {
        let port = self.port;
        format!("postgresql://{user}:{PASSWORD}@{host}:{port}/postgres?{wishes}")
    }

    /// The address of a look from inside.
    pub(super) fn socket_url(&self) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgresql://tarsify@{folder}:{}/postgres", self.port)
    }

    fn add_user(&self) {
        let url = self.socket_url();
        let sql = format!("CREATE ROLE without LOGIN PASSWORD '{PASSWORD}'");
        let add = || wait_for(async { drop(Outside::connect(&url).await.sql(&sql).await) });
        thread::scope(|scope| scope.spawn(add).join().unwrap());
    }
}

impl Installed {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.binaries.join(program));
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        command.env("LC_ALL", "C").current_dir("/");
        if self.user != self.caller {
            command.uid(self.user.0).gid(self.user.1);
        }
    }

    /// Starts a server and waits until it takes connections. A port that looked free may be
    /// taken by then, so there is more than one try.
    fn serve(&self, folder: &Path, ssl: &str) -> (u16, Child) {
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let log = fs::File::create(folder.join("log")).unwrap();
            let mut keeper = Command::new("/bin/sh");
            self.prepare(&mut keeper);
            keeper
                .args(["-c", KEEPER, "keeper"])
                .arg(folder)
                .arg(self.binaries.join("postgres"))
                .arg("-D")
                .arg(folder.join("cluster"));
            for setting in [
                "listen_addresses=127.0.0.1".to_owned(),
                format!("port={port}"),
                format!("unix_socket_directories={}", folder.display()),
                format!("ssl={ssl}"),
                format!("ssl_cert_file={}", folder.join("server.crt").display()),
                format!("ssl_key_file={}", folder.join("server.key").display()),
                "fsync=off".to_owned(),
            ] {
                keeper.arg("-c").arg(setting);
            }
            keeper.stdin(Stdio::piped()).stdout(Stdio::null());
            let mut keeper = keeper.stderr(log).spawn().unwrap();
            if ready(folder) {
                return (port, keeper);
            }
            // Before it sees its input end: the folder is used again.
            keeper.kill().unwrap();
            keeper.wait().unwrap();
        }
        panic!("{}", fs::read_to_string(folder.join("log")).unwrap());
    }
}

/// Whether the server takes connections; it does not when its port was taken.
fn ready(folder: &Path) -> bool {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        let state = fs::read_to_string(folder.join("cluster/postmaster.pid"));
        if state.is_ok_and(|state| state.contains("\nready")) {
            return true;
        }
        let log = fs::read_to_string(folder.join("log")).unwrap();
        if log.contains("FATAL") {
            assert!(log.contains("could not create any TCP/IP sockets"), "{log}");
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{}", fs::read_to_string(folder.join("log")).unwrap());
}

/// Asks the server that all tests share.
fn installed() -> Installed {
    wait_for(async {
        let shared = TestDatabase::empty().await;
        let outside = Outside::connect(shared.url()).await;
        let binaries = "SELECT setting FROM pg_config WHERE name = 'BINDIR'";
        let binaries = outside.sql(binaries).await.remove(0).into();
        let data = outside.sql("SHOW data_directory").await.remove(0);
        let owner = |path: &Path| {
            let owner = fs::metadata(path).unwrap();
            (owner.uid(), owner.gid())
        };
        Installed {
            binaries,
            user: owner(data.as_ref()),
            caller: owner(tempfile::tempdir().unwrap().path()),
        }
    })
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

//! A child process whose output is kept and which never outlives its test.

use std::io::{BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

use tokio::sync::watch;
use tokio::time::timeout;

use super::{PATIENCE, until};

/// What a process said until its end.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Said {
    /// The end must have been this one.
    #[track_caller]
    pub(crate) fn assert_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// The standard error must be one line that holds all of these.
    #[track_caller]
    pub(crate) fn assert_one_line(self, parts: &[&str]) -> Self {
        assert_eq!(self.err.trim().lines().count(), 1, "{self:#?}");
        self.assert_complains(parts)
    }

    /// The standard error must hold all of these.
    #[track_caller]
    pub(crate) fn assert_complains(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.err.contains(part), "{part} is missing: {self:#?}");
        }
        self
    }
}

/// One stream of a process, read as it comes.
struct Stream {
    text: watch::Receiver<String>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    fn of(source: impl Read + Send + 'static) -> Self {
        let (sender, text) = watch::channel(String::new());
        let reader = thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = source.read(&mut piece) {
                let piece = String::from_utf8_lossy(&piece[..length]);
                sender.send_modify(|text| text.push_str(&piece));
            }
        });
        Self {
            text,
            reader: Some(reader),
        }
    }

    fn all(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text.borrow().clone()
    }
}

/// A running process; killed and reaped when it is dropped.
pub(crate) struct Process {
    child: Child,
    out: Stream,
    err: Stream,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = Stream::of(child.stdout.take().unwrap());
        let err = Stream::of(child.stderr.take().unwrap());
        Self { child, out, err }
    }

    /// Waits until the standard error lets itself be read as something.
    pub(crate) async fn wait_for_err<T>(&self, read: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for(&self.err, read).await
    }

    /// Waits until the standard output lets itself be read as something.
    pub(crate) async fn wait_for_out<T>(&self, read: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for(&self.out, read).await
    }

    async fn wait_for<T>(&self, stream: &Stream, read: impl Fn(&str) -> Option<T>) -> T {
        let mut text = stream.text.clone();
        let waiting = async { text.wait_for(|text| read(text).is_some()).await.is_ok() };
        let came = timeout(PATIENCE, waiting).await.unwrap_or(false);
        let (out, err) = (self.out.text.borrow(), self.err.text.borrow());
        assert!(came, "it never said that. It said:\n{}\n{}", *out, *err);
        drop((out, err));
        read(&stream.text.borrow()).unwrap()
    }

    /// What its log complains of so far.
    pub(crate) fn complaints(&self) -> String {
        let log = self.err.text.borrow();
        let bad = |line: &&str| line.contains("WARN") || line.contains("ERROR");
        log.lines().filter(bad).collect::<Vec<_>>().join("\n")
    }

    /// Its id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, such as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let mut kill = Command::new("kill");
        let sent = kill.arg(format!("-{name}")).arg(id).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end and tells all it said.
    pub(crate) async fn ended(mut self) -> Said {
        let mut status: Option<ExitStatus> = None;
        until("a process ends", async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        Said {
            code: status.and_then(|status| status.code()),
            out: self.out.all(),
            err: self.err.all(),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

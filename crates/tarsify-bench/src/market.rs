//! A market of our own to be measured: the binary, its database, its GPUs, and everybody who comes.

use std::path::PathBuf;

use anyhow::ensure;
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{Ask, Line};
use crate::cluster::{Cluster, ask};
use crate::filling::{People, fill};
use crate::process::{Binary, Running};
use crate::say;

pub(crate) struct Market {
    pub(crate) cluster: Cluster,
    pub(crate) binary: Binary,
    pub(crate) url: String,
    pub(crate) people: People,
    pub(crate) folder: TempDir,
    emulator: Running,
}

impl Market {
    pub(crate) fn open(tarsify: PathBuf) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        open_to_all(&folder)?;
        say("a PostgreSQL server of our own");
        let cluster = Cluster::start(&folder.path().join("data"))?;
        let url = cluster.make("tarsify")?;
        let people = People::meet(folder.path())?;
        let mut binary = Binary {
            path: tarsify,
            folder: folder.path().to_owned(),
            settings: vec![
                ("DATABASE_URL", url.clone()),
                (
                    "TARSIFY_DATA_DIR",
                    folder.path().to_string_lossy().into_owned(),
                ),
                ("WELCOME_CREDITS", "1000000".to_owned()),
                ("RATE_LIMITS", "off".to_owned()),
                // The copies of runs are as old as they need to be, and have to stay.
                ("RETENTION_PAYLOADS_DAYS", "0".to_owned()),
                ("RETENTION_EVENTS_DAYS", "0".to_owned()),
            ],
        };
        let emulator = binary.emulate()?;
        let runpod = format!("http://{}/v2", emulator.address);
        binary.settings.push(("RUNPOD_BASE_URL", runpod));
        say("the market: its people, models and ended runs");
        binary.run(&["migrate"])?;
        fill(binary.serve("all")?.address, &url, &people)?;
        Ok(Self {
            cluster,
            binary,
            url,
            people,
            folder,
            emulator,
        })
    }

    /// From now on the GPUs of that number behave so.
    pub(crate) fn behave(&self, number: usize, behaviour: &Value) -> anyhow::Result<()> {
        let path = format!("/emulator/endpoints/echo-{number}");
        let answer = Line::open(self.emulator.address)?.send(&Ask::put(&path, behaviour))?;
        let text = String::from_utf8_lossy(&answer.body);
        ensure!(answer.status == 200, "they cannot behave so: {text}");
        Ok(())
    }

    /// Where the states of a thousand runs are read that have ended, all of the first consumer.
    pub(crate) fn ended_runs(&self) -> anyhow::Result<Vec<String>> {
        let ids = ask(
            &self.url,
            "SELECT id FROM executions WHERE stage = 'ended' AND price_credits = 0 \
            AND consumer_id = (SELECT consumer_id FROM executions ORDER BY created_at LIMIT 1) LIMIT 1000",
        )?;
        Ok(ids
            .lines()
            .map(|id| format!("/api/marketplace/runs/{id}/status"))
            .collect())
    }
}

/// PostgreSQL may run as another user than we do, and has to get to its folder.
fn open_to_all(folder: &TempDir) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o711))?;
    Ok(())
}

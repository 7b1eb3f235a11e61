//! Starts or joins the private server of a data folder, prints a connection URL and stays until its input ends.
//!
//! `cargo run -p tarsify-local-postgres --example hold -- .tarsify`
//!
//! With `durable` behind the folder it waits for the disk, as a server in earnest does.

use std::env;
use std::io::{self, Write as _};

use tarsify_local_postgres::{Durability, LocalPostgres, LocalPostgresSettings};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data_dir = env::args_os()
        .nth(1)
        .ok_or("usage: hold <data folder> [durable]")?;
    let search_path = env::vars_os()
        .find(|(name, _)| name == "PATH")
        .map(|(_, value)| value);
    let durability = match env::args().nth(2).as_deref() {
        Some("durable") => Durability::Durable,
        _ => Durability::Volatile,
    };
    let settings = LocalPostgresSettings {
        data_dir: data_dir.into(),
        binaries: None,
        search_path,
        durability,
    };
    let server = LocalPostgres::start(settings).await?;
    let mut output = io::stdout();
    writeln!(output, "{}", server.url("postgres"))?;
    output.flush()?;
    // Blocks one thread of the runtime; the supervisor runs on another.
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    server.stop().await?;
    Ok(())
}

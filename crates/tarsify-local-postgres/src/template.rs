//! Template databases, made once, and their clones: a fresh database for each test in a moment.

use std::error::Error;

use crate::error::LocalPostgresError;
use crate::lock;
use crate::postmaster::process_exists;
use crate::psql::{DatabaseName, literal};
use crate::server::LocalPostgres;

impl LocalPostgres {
    /// Makes a template database unless it is there; `make` fills it through the URL it is given. Of several
    /// processes one does it and the others wait. It gets its name only after `make` succeeded, so a half-made one
    /// is never cloned.
    ///
    /// # Errors
    /// When `make` fails, the name is impossible or the server refuses.
    pub async fn ensure_template<E>(
        &self,
        name: &str,
        make: impl AsyncFnOnce(String) -> Result<(), E>,
    ) -> Result<(), LocalPostgresError>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let template = DatabaseName::parse(name)?;
        let unfinished = format!("{name}_unfinished");
        let DatabaseName {
            identifier,
            literal: unfinished_literal,
        } = DatabaseName::parse(&unfinished)?;
        let _lock = lock::exclusive(&self.place.template_lock()).await?;
        let look = format!(
            "SELECT 1 FROM pg_database WHERE datname = {};\n",
            template.literal
        );
        if !self
            .psql
            .run("look for a template", &look)
            .await?
            .is_empty()
        {
            return Ok(());
        }
        let begin = format!(
            "DROP DATABASE IF EXISTS {identifier} WITH (FORCE);\nCREATE DATABASE {identifier};\n"
        );
        self.psql
            .run(&format!("create the database {unfinished}"), &begin)
            .await?;
        make(self.url(&unfinished))
            .await
            .map_err(|error| LocalPostgresError::Template {
                name: name.to_owned(),
                source: error.into(),
            })?;
        // A template takes no connections, because a database in use cannot be cloned.
        let finish = format!(
            "ALTER DATABASE {identifier} WITH ALLOW_CONNECTIONS false;\n\
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {unfinished_literal};\n\
             ALTER DATABASE {identifier} RENAME TO {};\n",
            template.identifier
        );
        self.psql
            .run(&format!("finish the template {name}"), &finish)
            .await
            .map(drop)
    }

    /// Makes a database as a copy of a template; answers its connection URL.
    ///
    /// # Errors
    /// When a name is impossible or taken, or there is no such template.
    pub async fn clone_database(
        &self,
        template: &str,
        name: &str,
    ) -> Result<String, LocalPostgresError> {
        let (from, to) = (DatabaseName::parse(template)?, DatabaseName::parse(name)?);
        let script = format!(
            "CREATE DATABASE {} TEMPLATE {};\n",
            to.identifier, from.identifier
        );
        self.psql
            .run(&format!("clone the database {template} as {name}"), &script)
            .await?;
        Ok(self.url(name))
    }

    /// Drops a database, ending the sessions in it. One that is not there is no failure.
    ///
    /// # Errors
    /// When the name is impossible or the server refuses.
    pub async fn drop_database(&self, name: &str) -> Result<(), LocalPostgresError> {
        let DatabaseName { identifier, .. } = DatabaseName::parse(name)?;
        let script = format!("DROP DATABASE IF EXISTS {identifier} WITH (FORCE);\n");
        self.psql
            .run(&format!("drop the database {name}"), &script)
            .await
            .map(drop)
    }

    /// Drops the databases `<prefix>_<process id>_<number>` whose process no longer exists; answers how many.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn drop_orphans(&self, prefix: &str) -> Result<usize, LocalPostgresError> {
        // Two at once would trip over each other's drops.
        let _lock = lock::exclusive(&self.place.template_lock()).await?;
        let list = format!(
            "SELECT datname FROM pg_database WHERE starts_with(datname, {});\n",
            literal(prefix)
        );
        let databases = self.psql.run("list the databases", &list).await?;
        let orphans: Vec<&String> = databases
            .iter()
            .filter(|name| maker(name, prefix).is_some_and(|process| !process_exists(process)))
            .collect();
        let mut script = String::new();
        for orphan in &orphans {
            let DatabaseName { identifier, .. } = DatabaseName::parse(orphan)?;
            script.push_str(&format!(
                "DROP DATABASE IF EXISTS {identifier} WITH (FORCE);\n"
            ));
        }
        if !orphans.is_empty() {
            self.psql
                .run("drop databases of ended processes", &script)
                .await?;
        }
        Ok(orphans.len())
    }
}

/// The process id in `<prefix>_<process id>_<number>`.
fn maker(database: &str, prefix: &str) -> Option<u32> {
    let (process, number) = database
        .strip_prefix(prefix)?
        .strip_prefix('_')?
        .split_once('_')?;
    number.parse::<u64>().ok()?;
    process.parse().ok()
}

#[cfg(test)]
mod tests;

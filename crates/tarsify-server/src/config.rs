//! The configuration of the `tarsify` binary: what each setting is, and how the layers become typed values.
//! It reads the process in one function only, and refuses a configuration with any fault, naming all of them at once.
//!
//! Later wins: `config/default.toml`, `config/production.toml` (in production), the file in `TARSIFY_CONFIG`, environment
//! variables, and among these `TARSIFY__SECTION__KEY` over the plain name. The first two are built into the binary and
//! never read from the current folder, so that a forgotten file beside the process cannot change what it does.

mod effective;
mod fault;
mod keys;
mod layers;
mod parse;
mod reader;
mod rules;
mod secret;
mod sections;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use effective::EffectiveConfig;
pub(crate) use fault::Faults;
pub(crate) use parse::Origin;
pub(crate) use secret::Secret;
pub(crate) use sections::{Config, Environment, LogFormat, Role, RunPod};

/// The environment variables a configuration is read from.
pub(crate) type EnvironmentVariables = BTreeMap<String, String>;

/// A configuration without faults, and where each of its values came from.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// The typed values.
    pub(crate) config: Config,
    /// The same for a person or a script to read, secrets masked.
    pub(crate) effective: EffectiveConfig,
}

/// Reads the process: its environment variables and its current folder. Nothing else in the binary does.
pub(crate) fn read_process() -> (EnvironmentVariables, PathBuf) {
    // Bytes that are no text become U+FFFD; the loader refuses that character in a variable of ours.
    let variables = std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect();
    (variables, std::env::current_dir().unwrap_or_default())
}

/// Loads the configuration from all layers. Relative paths start at `base_folder`.
///
/// Fails with every fault there is: unknown keys, bad values, and broken rules between keys.
pub(crate) fn load(variables: &EnvironmentVariables, base_folder: &Path) -> Result<Loaded, Faults> {
    let (layer, faults) = layers::merge(variables, base_folder);
    let mut reader = reader::Reader::new(layer, faults);
    let config = sections::read(&mut reader, base_folder);
    rules::check(&mut reader);
    match config {
        Some(config) if reader.faults().is_empty() => Ok(Loaded {
            config,
            effective: EffectiveConfig::new(&reader),
        }),
        _ => Err(Faults(reader.into_faults())),
    }
}

#[cfg(test)]
mod tests;

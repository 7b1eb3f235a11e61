//! Tokens of every kind against a key server on this machine.

#[cfg(test)]
mod emulator;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod key_server;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod local;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod world;

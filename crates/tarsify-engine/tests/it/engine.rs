//! The whole engine on a store in memory, against the emulator over HTTP: every promise that
//! needs no database.

mod crew;
mod faults;
mod live;
mod news;
mod output;
mod requests;
mod secrets;
mod waits;
mod watched;
mod workshop;

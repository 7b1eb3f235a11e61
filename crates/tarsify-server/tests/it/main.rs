//! The real binary from outside: its commands, its journeys over TCP, its races and its ends.

#[cfg(test)]
mod administration;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod chaos;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod costs;
#[cfg(test)]
mod data_folder;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod emulator;
#[cfg(test)]
mod endurance;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod live;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod many_processes;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod money;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod output;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod production;
#[cfg(test)]
mod production_tokens;
#[cfg(test)]
mod provider_limits;
#[cfg(test)]
mod races;
#[cfg(test)]
mod redis;
#[cfg(test)]
mod restart;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod rolling;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod seeding;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod stopping;
#[cfg(test)]
mod storms;
#[cfg(test)]
mod stripe;
#[cfg(test)]
mod support;
#[cfg(test)]
mod traces;

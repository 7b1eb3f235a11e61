//! The private server against real PostgreSQL and real processes: its life, its sharing, its refusals, its templates.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod life;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod templates;

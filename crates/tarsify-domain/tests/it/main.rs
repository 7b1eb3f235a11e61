//! Every use case over fakes and a clock that tests set: what is allowed, what is refused, and
//! in which order, without a database and without HTTP.

#[cfg(test)]
mod base_model;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod consumer;
#[cfg(test)]
mod developer;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod interloper;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod market;
#[cfg(test)]
mod tars_model;
#[cfg(test)]
mod workshop;

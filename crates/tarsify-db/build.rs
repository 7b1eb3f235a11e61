//! Has the crate built again when a migration is added, which the embedding macro cannot see.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}

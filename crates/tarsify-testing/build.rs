//! Tells the migrations that are built in from those of other builds. Whoever looked at their files when
//! the tests run would be misled by one that was changed since.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::PathBuf;

const FOLDER: &str = "../../migrations";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed={FOLDER}");
    println!("cargo:rustc-env=MIGRATIONS={:016x}", fingerprint()?);
    Ok(())
}

/// A number that changes with any file in the folder or below it.
fn fingerprint() -> io::Result<u64> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(FOLDER)];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.hash(&mut hasher);
        fs::read(&file)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

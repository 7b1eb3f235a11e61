//! Versions are read and ordered as PostgreSQL writes them.

use std::fs;

use super::{parse_version, versions};

#[test]
fn reads_the_major_version() {
    for (text, why, expected) in [
        (
            "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n",
            "Debian",
            Some(15),
        ),
        ("postgres (PostgreSQL) 17.2\n", "plain", Some(17)),
        ("postgres (PostgreSQL) 19devel\n", "development", Some(19)),
        ("postgres (PostgreSQL) 18beta1", "beta", Some(18)),
        ("something else 15", "another program", None),
    ] {
        assert_eq!(parse_version(text), expected, "{why}");
    }
}

#[test]
fn newest_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "postgresql@9",
        "postgresql@17",
        "postgresql@16",
        "mysql@8",
        "postgresql@x",
    ] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let found = versions(folder.path().to_str().unwrap(), "postgresql@", "bin");
    let expected = ["postgresql@17/bin", "postgresql@16/bin", "postgresql@9/bin"]
        .map(|name| folder.path().join(name));
    assert_eq!(found, expected);
}

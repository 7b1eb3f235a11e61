//! Users are read, and unsafe folders refused.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use super::{data_folder, hash, private_folder, users};
use crate::command::User;
use crate::error::LocalPostgresError;

#[test]
fn accounts_are_found_by_their_whole_name() {
    let accounts = "root:x:0:0:root:/root:/bin/sh\npostgresql:x:5:6::/:\npostgres:x:101:104:PostgreSQL,,,:/var:/bin/sh\n";
    assert_eq!(
        users::find_account(accounts, "postgres"),
        Some(User {
            id: 101,
            group: 104
        })
    );
    assert_eq!(users::find_account(accounts, "nobody"), None);
}

#[test]
fn the_first_closed_folder_on_the_way_is_named() {
    let root = tempfile::tempdir().unwrap();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let closed = root.path().join("closed");
    fs::create_dir_all(closed.join("inner")).unwrap();
    let stranger = User {
        id: 4_000_000,
        group: 4_000_000,
    };
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    // What lies above the temporary folder is the machine's affair.
    let found = users::closed_to(&closed.join("inner"), stranger).unwrap();
    assert!(closed.starts_with(&found));
    let owner = fs::metadata(&closed).unwrap();
    let owner = User {
        id: owner.uid(),
        group: owner.gid(),
    };
    assert_eq!(users::closed_to(&closed, owner), None);
}

#[test]
fn a_private_folder_open_to_others_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("run");
    let owner = fs::metadata(root.path()).unwrap().uid();
    private_folder(&folder, owner, None).unwrap();
    private_folder(&folder, owner, None).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let error = private_folder(&folder, owner, None).unwrap_err();
    assert!(
        matches!(error, LocalPostgresError::UnsafeFolder { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("its mode is 755"), "{error}");
}

#[test]
fn a_link_in_place_of_a_private_folder_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let link = root.path().join("run");
    std::os::unix::fs::symlink(root.path(), &link).unwrap();
    let owner = fs::metadata(root.path()).unwrap().uid();
    let error = private_folder(&link, owner, None).unwrap_err();
    assert!(error.to_string().contains("not a folder"), "{error}");
}

#[test]
fn a_file_is_no_data_folder() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = data_folder(file.path()).unwrap_err();
    assert!(
        error.to_string().contains("it is a file, not a folder"),
        "{error}"
    );
}

#[test]
fn the_hash_never_changes() {
    assert_eq!(hash(Path::new("a")), 0xaf63_dc4c_8601_ec8c);
}

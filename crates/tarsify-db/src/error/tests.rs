//! What each failure comes to.

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tarsify_domain::RepoError;

use super::Failure;

fn database_error(kind: DatabaseErrorKind, message: &str) -> DieselError {
    DieselError::DatabaseError(kind, Box::new(message.to_owned()))
}

#[test]
fn messages_of_the_server_are_told_apart() {
    for (message, broken, expected) in [
        ("deadlock detected", false, "Undone"),
        ("canceling statement due to lock timeout", false, "Undone"),
        (
            "terminating connection due to administrator command",
            true,
            "Undone",
        ),
        ("cached plan must not change result type", false, "Undone"),
        (
            "canceling statement due to statement timeout",
            false,
            "Unavailable",
        ),
        ("the database system is shutting down", false, "Unavailable"),
        ("sorry, too many clients already", false, "Unavailable"),
        ("relation \"people\" does not exist", false, "Unexpected"),
        // In the words of another language, a closed connection still tells.
        ("Verbindung wird abgebrochen", true, "Lost"),
    ] {
        let error = database_error(DatabaseErrorKind::Unknown, message);
        let failure = format!("{:?}", Failure::of_statement(error, broken));
        assert!(failure.starts_with(expected), "{message}: {failure}");
    }
}

#[test]
fn only_what_may_pass_by_itself_is_unavailable() {
    for (kind, is_unavailable) in [
        (DatabaseErrorKind::SerializationFailure, true),
        (DatabaseErrorKind::ClosedConnection, true),
        (DatabaseErrorKind::UnableToSendCommand, true),
        (DatabaseErrorKind::UniqueViolation, false),
        (DatabaseErrorKind::ForeignKeyViolation, false),
        (DatabaseErrorKind::CheckViolation, false),
        (DatabaseErrorKind::NotNullViolation, false),
    ] {
        let kind_is = format!("{kind:?}");
        let failure = Failure::of_statement(database_error(kind, "x"), false);
        let unavailable = matches!(failure.into_repo(), RepoError::Unavailable(_));
        assert_eq!(unavailable, is_unavailable, "{kind_is}");
    }
    let failure = Failure::of_statement(DieselError::NotFound, false);
    assert!(matches!(failure.into_repo(), RepoError::Internal(_)));
}

#[test]
fn only_a_named_constraint_is_a_conflict() {
    let taken = || Failure::Taken {
        constraint: "slug".to_owned(),
        source: "taken".into(),
    };
    assert!(matches!(
        taken().or_conflict(&["slug"]),
        RepoError::Conflict
    ));
    assert!(matches!(
        taken().or_conflict(&["key"]),
        RepoError::Internal(_)
    ));
    assert!(matches!(taken().into_repo(), RepoError::Internal(_)));
}

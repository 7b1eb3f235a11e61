//! What is found in addresses, and that the rest stays as it is.

use std::path::PathBuf;

use super::{Mode, Roots, Wishes, split};

fn wishes(mode: Mode, roots: Option<&str>) -> Wishes {
    Wishes {
        mode: Some(mode),
        roots: roots.map(|path| match path {
            "system" => Roots::System,
            path => Roots::File(PathBuf::from(path)),
        }),
    }
}

#[test]
fn both_forms_give_up_what_they_say_about_tls_and_nothing_else() {
    for (address, rest, expected) in [
        (
            "postgres://u:p?x@h/d",
            "postgres://u:p?x@h/d",
            Wishes::default(),
        ),
        (
            "postgres://u:p?sslmode=disable@h/d?sslmode=verify-full&application_name=a%20b",
            "postgres://u:p?sslmode=disable@h/d?application_name=a%20b",
            wishes(Mode::VerifyFull, None),
        ),
        (
            "postgresql://h/d?options=-c%20a%3Db&ssl%6Dode=verify%2Dca&sslrootcert=%2Fa%20b%26c%40d.pem",
            "postgresql://h/d?options=-c%20a%3Db",
            wishes(Mode::VerifyCa, Some("/a b&c@d.pem")),
        ),
        (
            "postgresql://u@h/d?sslmode=disable&sslrootcert=&sslmode=require",
            "postgresql://u@h/d?",
            wishes(Mode::Require, None),
        ),
        (
            r"sslmode = verify-full host='a b' sslrootcert='/it\'s a \\.pem' user=u",
            " host='a b' user=u ",
            wishes(Mode::VerifyFull, Some(r"/it's a \.pem")),
        ),
        (
            "password='x sslmode=disable' sslmode=require sslrootcert=system",
            "password='x sslmode=disable' ",
            wishes(Mode::Require, Some("system")),
        ),
    ] {
        let (plain, found) = split(address).unwrap();
        assert_eq!(found, expected, "{address}");
        let mut words = (plain.split_whitespace(), rest.split_whitespace());
        assert!(words.0.by_ref().eq(words.1.by_ref()), "{address}: {plain}");
    }
}

#[test]
fn what_cannot_be_read_is_left_to_the_client_whole() {
    for address in ["sslmode=require host='h", "sslmode", "sslmode=disable host"] {
        let (plain, found) = split(address).unwrap();
        assert!(
            plain.parse::<tokio_postgres::Config>().is_err(),
            "{address}"
        );
        assert_eq!((plain.trim(), found), (address, Wishes::default()));
    }
}

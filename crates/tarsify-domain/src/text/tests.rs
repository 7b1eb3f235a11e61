//! What each text type takes and refuses.

use super::*;

#[test]
fn a_slug_is_trimmed_lower_cased_and_checked() {
    let cases = [
        ("anime", "one group", Ok("anime")),
        (
            "  Anime-Generator ",
            "space and capitals",
            Ok("anime-generator"),
        ),
        ("a-1-b", "digits", Ok("a-1-b")),
        ("", "empty", Err("minLength")),
        ("-", "only a hyphen", Err("pattern")),
        ("a--b", "two hyphens", Err("pattern")),
        ("-a", "leading hyphen", Err("pattern")),
        ("a-", "trailing hyphen", Err("pattern")),
        ("a b", "inner space", Err("pattern")),
        ("a_b", "underscore", Err("pattern")),
        ("größe", "umlaut", Err("pattern")),
        ("a\0", "NUL", Err("pattern")),
    ];
    for (input, why, expected) in cases {
        let found = Slug::parse(input);
        assert_eq!(
            found
                .as_ref()
                .map(Slug::as_str)
                .map_err(|misfit| misfit.code),
            expected,
            "{why}"
        );
    }
    assert_eq!(Slug::parse(&"a".repeat(200)).unwrap().as_str().len(), 200);
    assert_eq!(Slug::parse(&"a".repeat(201)).unwrap_err().code, "maxLength");
}

#[test]
fn an_email_address_is_lower_cased_and_has_a_name_and_a_host() {
    assert_eq!(
        EmailAddress::parse(" Ada@Example.COM ").unwrap().as_str(),
        "ada@example.com"
    );
    for bad in [
        "",
        "ada",
        "@host",
        "ada@",
        "a@b@c",
        "a b@c.d",
        "ada@.com",
        "ada@host..com",
        "a\0@b.c",
    ] {
        assert!(EmailAddress::parse(bad).is_err(), "{bad:?}");
    }
    assert!(EmailAddress::parse(&format!("{}@example.com", "a".repeat(250))).is_err());
    // Each of these becomes two characters when it is lower-cased.
    assert!(EmailAddress::parse(&format!("{}@example.com", "İ".repeat(200))).is_err());
}

#[test]
fn lengths_count_characters_after_trimming() {
    assert_eq!(Title::parse("  x  ").unwrap().as_str(), "x");
    assert_eq!(
        Title::parse("   ").unwrap_err().message,
        "must not be empty"
    );
    assert!(Title::parse(&"ä".repeat(200)).is_ok());
    assert_eq!(
        Title::parse(&"ä".repeat(201)).unwrap_err().code,
        "maxLength"
    );
    assert_eq!(PersonName::parse("x").unwrap_err().code, "minLength");
    assert!(Description::parse("").is_ok());
}

#[test]
fn an_avatar_is_an_absolute_web_address() {
    assert!(AvatarUrl::parse("https://example.com/a.png").is_ok());
    let escaped = AvatarUrl::parse("http://a/\nb\"<>").unwrap();
    assert_eq!(escaped.as_str(), "http://a/b%22%3C%3E");
    for bad in [
        "",
        "a.png",
        "javascript:alert(1)",
        "ftp://example.com/a",
        "data:image/png;base64,AA",
        "https://user:password@example.com/a.png",
    ] {
        assert!(AvatarUrl::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_country_is_one_that_is_assigned() {
    assert_eq!(Country::parse(" de ").unwrap().as_str(), "DE");
    for bad in ["", "D", "XX", "DEU", "AD AE"] {
        assert!(Country::parse(bad).is_err(), "{bad:?}");
    }
}

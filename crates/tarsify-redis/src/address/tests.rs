//! Which addresses are taken, and what is said of the others.

use super::*;

fn read(text: &str) -> Config {
    RedisAddress::parse(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .config
}

#[test]
fn each_part_of_an_address_is_used() {
    let whole = read("redis://me:p%40ss@cache.internal:7000/3");
    assert_eq!(
        whole.server,
        ServerConfig::new_centralized("cache.internal", 7000)
    );
    assert_eq!(whole.username.as_deref(), Some("me"));
    assert_eq!(whole.password.as_deref(), Some("p@ss"));
    assert_eq!(whole.database, Some(3));
    assert!(whole.tls.is_none());

    let least = read("redis://cache");
    assert_eq!(least.server, ServerConfig::new_centralized("cache", 6379));
    assert!(least.username.is_none() && least.password.is_none());
    assert!(!least.fail_fast);

    let bracketed = read("redis://:secret@[::1]/");
    assert_eq!(bracketed.server, ServerConfig::new_centralized("::1", 6379));
    assert!(read("rediss://cache").tls.is_some());
}

#[test]
fn what_cannot_be_done_is_refused_without_repeating_it() {
    for (text, said) in [
        ("cache:6379", "neither redis:// nor rediss://"),
        ("http://:hunter2@cache", "neither redis:// nor rediss://"),
        ("redis-cluster://:hunter2@cache", "for a single server"),
        (
            "redis-sentinel://:hunter2@cache?sentinelServiceName=x",
            "for a single server",
        ),
        ("redis+unix:///run/redis.sock", "for a single server"),
        ("redis://:hunter2@cache:port", "is not a URL"),
        ("redis://", "names no server"),
        ("redis:///2", "names no server"),
        ("redis://:hunter2@cache/first", "a number from 0 to 255"),
        ("redis://:hunter2@cache/256", "a number from 0 to 255"),
        ("redis://:hunter2@cache/1/2", "a number from 0 to 255"),
        ("redis://:hunter2@cache?timeout=3", "has a query"),
    ] {
        let refused = RedisAddress::parse(text).err();
        let refused = refused.unwrap_or_else(|| panic!("{text} was taken"));
        assert!(refused.to_string().contains(said), "{text}: {refused}");
        assert!(
            !format!("{refused} {refused:?}").contains("hunter2"),
            "{text}"
        );
    }
    let address = RedisAddress::parse("redis://:hunter2@cache").unwrap();
    assert!(!format!("{address:?}").contains("hunter2"));
}

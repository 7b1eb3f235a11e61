//! What is shown of a configuration, and that no secret is.

use serde_json::Value;

use super::*;

#[test]
fn no_secret_is_ever_shown() {
    for url in [
        "postgres://me:hunter2@h/d",
        "postgres://me:hun@ter2/hunter2@h/d",
        "postgres://me@server:hunter2@h/d",
        "postgres://me@h/d?password=hunter2&sslmode=require",
        "postgres://me:hunter2@/d?host=/cloudsql/x",
    ] {
        let Loaded { config, effective } = load_from(&[("DATABASE_URL", url)]).unwrap();
        let secret = config.database.url.clone().unwrap();
        assert_eq!(
            format!("{secret} {secret:?} {}", serde_json::json!(secret)),
            "*** *** \"***\""
        );
        let shown = [
            format!("{config:?}"),
            format!("{effective:?}"),
            effective.render_text(),
            effective.render_json(),
        ];
        for text in shown {
            assert!(
                !text.contains(PASSWORD) && text.contains("***"),
                "{url}: {text}"
            );
        }
        let faults = load_from(&[
            ("DATABASE_URL", url),
            ("PORT", "x"),
            ("TARSIFY_ENV", "production"),
        ])
        .unwrap_err();
        assert!(
            !format!("{faults} {faults:?}").contains(PASSWORD),
            "{url}: {faults}"
        );
    }
}

#[test]
fn of_the_address_of_redis_the_password_is_not_shown() {
    for url in ["redis://:hunter2@cache:6379/1", "rediss://me:hunter2@cache"] {
        let Loaded { config, effective } = load_from(&[("REDIS_URL", url)]).unwrap();
        for text in [
            format!("{config:?}"),
            effective.render_text(),
            effective.render_json(),
        ] {
            assert!(!text.contains(PASSWORD), "{text}");
        }
        assert!(effective.render_text().contains(":***@cache"), "{url}");
    }
}

#[test]
fn of_a_key_nothing_is_shown() {
    let pairs = [("RUNPOD_API_KEY", "rpa_hunter2")];
    let Loaded { config, effective } = load_from(&pairs).unwrap();
    for text in [
        format!("{config:?}"),
        format!("{effective:?}"),
        effective.render_text(),
        effective.render_json(),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    let shown: Value = serde_json::from_str(&effective.render_json()).unwrap();
    let expected = serde_json::json!({"value": "***", "source": "RUNPOD_API_KEY"});
    assert_eq!(shown["runpod"]["api_key"], expected);
}

#[test]
fn the_effective_configuration_tells_where_each_value_came_from() {
    let file = "[database]\npool_size = 9\n";
    let all = production_and(&[("PORT", "9000"), ("ADMIN_UIDS", "a,b")]);
    let effective = load_file(file, &all).unwrap().effective;
    let shown: Value = serde_json::from_str(&effective.render_json()).unwrap();
    let expected = [
        (
            "/server/port",
            serde_json::json!({"value": 9000, "source": "PORT"}),
        ),
        (
            "/server/host",
            serde_json::json!({"value": "0.0.0.0", "source": "production.toml"}),
        ),
        (
            "/market/poll_ms",
            serde_json::json!({"value": 500, "source": "default.toml"}),
        ),
        (
            "/server/public_url",
            serde_json::json!({"value": null, "source": "unset"}),
        ),
        (
            "/identity/admin_uids",
            serde_json::json!({"value": ["a", "b"], "source": "ADMIN_UIDS"}),
        ),
        (
            "/database/url",
            serde_json::json!({"value": "postgres://tarsify:***@db.internal/tarsify", "source": "DATABASE_URL"}),
        ),
    ];
    for (pointer, value) in expected {
        assert_eq!(shown.pointer(pointer), Some(&value));
    }
    assert_eq!(shown["database"]["pool_size"]["value"], 9);
    assert!(
        shown["database"]["pool_size"]["source"]
            .as_str()
            .unwrap()
            .ends_with("mine.toml")
    );

    let text = effective.render_text();
    assert_eq!(text.lines().count(), keys::ALL.len() + 1);
    let line = |key: &str| text.lines().find(|line| line.starts_with(key)).unwrap();
    let words = |key: &str| {
        line(key)
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(words("server.port"), ["server.port", "9000", "PORT"]);
    assert_eq!(
        words("server.public_url"),
        ["server.public_url", "-", "unset"]
    );
}

//! Which addresses and keys are taken.

use super::*;

fn with(base_url: &str, api_key: Option<&str>) -> RunPodSettings {
    RunPodSettings {
        base_url: base_url.to_owned(),
        api_key: api_key.map(str::to_owned),
        ..RunPodSettings::default()
    }
}

#[test]
fn a_key_travels_unencrypted_only_where_nobody_listens() {
    for (url, why, is_fine) in [
        ("https://api.runpod.ai/v2", "encrypted", true),
        ("http://127.0.0.1:8090/v2", "this machine", true),
        ("http://[::1]:8090/v2", "this machine", true),
        ("http://localhost:8090/v2", "this machine", true),
        ("http://emulator:8090/v2", "a neighbour", true),
        ("http://10.1.2.3/v2", "a private network", true),
        ("http://api.runpod.ai/v2", "the world", false),
        ("http://8.8.8.8/v2", "the world", false),
    ] {
        let taken = address(&with(url, Some("key"))).is_ok();
        assert_eq!(taken, is_fine, "{url}: {why}");
        assert!(address(&with(url, None)).is_ok(), "{url} without a key");
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for url in [
        "",
        "api.runpod.ai",
        "ftp://api.runpod.ai",
        "https://me:secret@api.runpod.ai/v2",
        "https://api.runpod.ai/v2?key=secret",
        "https://api.runpod.ai/v2#x",
    ] {
        let error = address(&with(url, None)).unwrap_err();
        assert!(matches!(error, RunPodError::Address), "{url}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn a_key_is_never_shown() {
    let settings = with("https://me:secret@h/", Some("rpa_SECRET"));
    assert!(!format!("{settings:?}").to_lowercase().contains("secret"));
    let header = authorization(&settings).unwrap().unwrap();
    assert_eq!(header.as_bytes(), b"Bearer rpa_SECRET");
    assert!(!format!("{header:?}").contains("SECRET"));
    for key in ["", "a b", "a\nb", "käse"] {
        let refused = authorization(&with("https://h", Some(key)));
        assert!(matches!(refused, Err(RunPodError::Key)), "{key:?}");
    }
}

//! What a client is refused for, and that its secrets are shown nowhere.

use super::*;
use crate::Stripe;

fn good() -> StripeSettings {
    StripeSettings {
        secret_key: "sk_test_veryhidden".to_owned(),
        webhook_secrets: vec!["whsec_veryhidden".to_owned()],
        success_url: "https://tarsify.example/paid?session={CHECKOUT_SESSION_ID}".to_owned(),
        cancel_url: "http://localhost:3000/credits".to_owned(),
        ..StripeSettings::default()
    }
}

#[test]
fn good_settings_make_a_client() {
    for base_url in [
        "https://api.stripe.com",
        "https://api.stripe.com/",
        "http://127.0.0.1:12111",
        "http://[::1]:12111",
        "http://stripe-mock:12111/below",
        "http://10.1.2.3",
    ] {
        let settings = StripeSettings {
            base_url: base_url.to_owned(),
            ..good()
        };
        assert!(Stripe::with_settings(settings).is_ok(), "{base_url}");
    }
}

#[test]
fn bad_addresses_are_refused() {
    for base_url in [
        "",
        "api.stripe.com",
        "ftp://api.stripe.com",
        "https://user@api.stripe.com",
        "https://:password@api.stripe.com",
        "https://api.stripe.com?x=1",
        "https://api.stripe.com#x",
        "data:text/plain,x",
    ] {
        let settings = StripeSettings {
            base_url: base_url.to_owned(),
            ..good()
        };
        let refused = Stripe::with_settings(settings).err();
        assert!(matches!(refused, Some(StripeError::Address)), "{base_url}");
    }
    for base_url in [
        "http://api.stripe.com",
        "http://8.8.8.8",
        "http://[2600::1]",
    ] {
        let settings = StripeSettings {
            base_url: base_url.to_owned(),
            ..good()
        };
        let refused = Stripe::with_settings(settings).err();
        assert!(
            matches!(refused, Some(StripeError::Unencrypted)),
            "{base_url}"
        );
    }
}

#[test]
fn bad_keys_secrets_and_pages_are_refused() {
    for secret_key in ["", "sk test", "sk_test\n", "pk_live_1", "schlüssel"] {
        let settings = StripeSettings {
            secret_key: secret_key.to_owned(),
            ..good()
        };
        let refused = Stripe::with_settings(settings).err();
        assert!(matches!(refused, Some(StripeError::Key)), "{secret_key}");
    }
    let without: [&[&str]; 4] = [&[], &[""], &["whsec_1", ""], &["whsec 1"]];
    for secrets in without {
        let settings = StripeSettings {
            webhook_secrets: secrets.iter().map(|&secret| secret.to_owned()).collect(),
            ..good()
        };
        let refused = Stripe::with_settings(settings).err();
        assert!(
            matches!(refused, Some(StripeError::WebhookSecret)),
            "{secrets:?}"
        );
    }
    for page in ["", "/paid", "javascript:alert(1)"] {
        for settings in [
            StripeSettings {
                success_url: page.to_owned(),
                ..good()
            },
            StripeSettings {
                cancel_url: page.to_owned(),
                ..good()
            },
        ] {
            let refused = Stripe::with_settings(settings).err();
            assert!(matches!(refused, Some(StripeError::Page(_))), "{page}");
        }
    }
}

#[test]
fn no_secret_is_shown() {
    let settings = good();
    let shown = format!("{settings:?}");
    let client = format!("{:?}", Stripe::with_settings(settings).unwrap());
    assert!(!shown.contains("veryhidden") && !client.contains("veryhidden"));
}

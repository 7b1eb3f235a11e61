//! Who takes the money: Stripe, the built-in provider of development, or nobody.

use std::sync::Arc;

use anyhow::Context;
use tarsify_domain::Clock;
use tarsify_domain::payments::{PaymentProvider, TestPayments};
use tarsify_payments::{LocalPayments, NoPayments, Stripe, StripeSettings};

use crate::config::{Config, Environment};
use crate::exit::Misconfigured;

/// Whoever takes the money.
pub(crate) struct Payments {
    pub(crate) provider: Arc<dyn PaymentProvider>,
    /// The pages with the test card, where there are some.
    pub(crate) test: Option<Arc<dyn TestPayments>>,
}

impl Payments {
    /// As the configuration says. `own_address` is where people reach us.
    pub(crate) fn configured(
        config: &Config,
        own_address: &str,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let stripe = &config.stripe;
        if let Some(key) = &stripe.secret_key {
            let page = |url: &Option<String>| url.clone().unwrap_or_else(|| own_address.to_owned());
            let secrets = stripe.webhook_secrets.iter();
            let stripe = Stripe::with_settings(StripeSettings {
                secret_key: key.expose().clone(),
                webhook_secrets: secrets.map(|secret| secret.expose().clone()).collect(),
                base_url: stripe.base_url.to_string(),
                success_url: page(&stripe.success_url),
                cancel_url: page(&stripe.cancel_url),
                ..StripeSettings::default()
            });
            return Ok(Self {
                provider: Arc::new(
                    stripe.context(Misconfigured("Stripe cannot be used as [stripe] says"))?,
                ),
                test: None,
            });
        }
        if config.environment == Environment::Production {
            return Ok(Self {
                provider: Arc::new(NoPayments),
                test: None,
            });
        }
        let local = LocalPayments::generate(own_address, Arc::clone(clock));
        let local = Arc::new(local.context("the test card cannot be used")?);
        let provider: Arc<dyn PaymentProvider> = local.clone();
        Ok(Self {
            provider,
            test: Some(local),
        })
    }
}

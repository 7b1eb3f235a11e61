//! The registry of error codes: each failure a client can meet has one number that never
//! changes, a class in words, and a sentence. Which HTTP status belongs to it is not known here.

macro_rules! codes {
    ($($variant:ident = $number:literal, $class:literal, $retryable:literal, $meaning:literal;)+) => {
        /// A failure that clients can tell apart.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $variant,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code as it is written on the wire, such as `ERR_1001`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => concat!("ERR_", $number),)+ }
            }

            /// The class of the failure in words, such as `validation_error`.
            #[must_use]
            pub const fn class(self) -> &'static str {
                match self { $(Self::$variant => $class,)+ }
            }

            /// Whether the same request may succeed later without any change.
            #[must_use]
            pub const fn is_retryable(self) -> bool {
                match self { $(Self::$variant => $retryable,)+ }
            }

            /// What it means, in one sentence for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)+ }
            }
        }
    };
}

codes! {
    Internal = "1000", "internal_error", true, "Something failed on our side. The request id finds it in the log.";
    Validation = "1001", "validation_error", false, "The request does not have the form it needs; the details name every fault.";
    NotFound = "1002", "not_found", false, "There is nothing at this address.";
    MethodNotAllowed = "1003", "method_not_allowed", false, "This address does not take this method; the Allow header lists those it takes.";
    RateLimited = "1004", "rate_limit_exceeded", true, "Too many requests; wait as long as Retry-After says.";
    Unavailable = "1005", "service_unavailable", true, "A part that this request needs cannot be reached right now.";
    Conflict = "1006", "conflict", false, "Somebody else changed it meanwhile; read it again and repeat the change.";
    IdempotencyKeyReused = "1007", "idempotency_key_reused", false, "The idempotency key was used with another body.";
    IdempotencyKeyInProgress = "1008", "idempotency_key_in_progress", true, "The first request with this idempotency key is still running.";
    PayloadTooLarge = "1009", "payload_too_large", false, "The body is larger than this address takes.";
    UnsupportedMediaType = "1010", "unsupported_media_type", false, "The body must be JSON, sent as application/json.";
    PreconditionFailed = "1011", "precondition_failed", false, "It is no longer what If-Match says; read it again and repeat the change.";

    NoCredential = "2000", "unauthenticated", false, "Sign in first: send Authorization: Bearer with an ID token.";
    InvalidToken = "2001", "invalid_token", false, "The token is not one that this address accepts.";
    ExpiredToken = "2002", "expired_token", false, "The token has expired; get a new one.";
    Forbidden = "2003", "forbidden", false, "This account may not do that.";
    BadCredentials = "2004", "bad_credentials", false, "The e-mail or the password is wrong.";

    ConsumerNotRegistered = "3000", "consumer_not_registered", false, "The token is good but there is no consumer profile; register first.";
    ConsumerAlreadyRegistered = "3001", "consumer_already_registered", false, "There is a consumer profile for this account, or for its e-mail address, already.";
    InsufficientCredits = "3002", "insufficient_credits", false, "The balance does not cover the price.";

    DeveloperNotRegistered = "4000", "developer_not_registered", false, "The token is good but there is no developer profile; register first.";
    DeveloperAlreadyRegistered = "4001", "developer_already_registered", false, "There is a developer profile for this account, or for its e-mail address, already.";
    DeveloperNotVerified = "4002", "developer_not_verified", false, "The developer has to be verified for this.";

    TarsModelNotFound = "5500", "tars_model_not_found", false, "There is no such tars model.";
    SlugTaken = "5501", "slug_taken", false, "Another tars model has this slug.";
    StatusForbids = "5502", "status_forbids", false, "The model's status does not allow it.";
    BaseModelNotFound = "5503", "base_model_not_found", false, "There is no such base model.";
    BaseModelNotActive = "5504", "base_model_not_active", false, "The base model is switched off.";
    EndpointNotFound = "5505", "endpoint_not_found", false, "There is no such endpoint.";
    EndpointIdTaken = "5506", "endpoint_id_taken", false, "Another endpoint has this provider id.";
    BaseModelSlugTaken = "5507", "base_model_slug_taken", false, "Another base model has this slug.";

    ProviderFailed = "6001", "provider_error", true, "The provider could not do the work.";
    ProviderTimeout = "6002", "provider_timeout", true, "The provider did not finish in time.";
    ProviderRateLimited = "6003", "provider_rate_limited", true, "The provider takes no more work right now.";
    ModelNotFound = "6100", "model_not_found", false, "The market has no such model.";
    ModelNotPublished = "6101", "model_not_published", false, "The model is not published.";
    EndpointNotActive = "6102", "endpoint_not_active", true, "The model's endpoint is switched off.";
    ExecutionNotFound = "6103", "execution_not_found", false, "There is no such run.";
    ExecutionNotOwned = "6104", "execution_not_owned", false, "The run belongs to somebody else.";
    ExecutionNotCancellable = "6105", "execution_not_cancellable", false, "The run has already ended.";
    InputsDoNotFit = "6106", "inputs_do_not_fit", false, "The inputs do not fit the model's schema; the details name every fault.";

    PaymentFailed = "7000", "payment_failed", false, "The payment failed.";
    PaymentNotFound = "7001", "payment_not_found", false, "There is no such package, purchase or payment.";
    PayoutFailed = "7002", "payout_failed", true, "The payout failed.";
    PayoutMinimumNotMet = "7003", "payout_minimum_not_met", false, "The amount is below the smallest payout.";

    StorageUnavailable = "9003", "storage_unavailable", true, "The file store cannot be reached right now.";
}

#[cfg(test)]
mod tests;

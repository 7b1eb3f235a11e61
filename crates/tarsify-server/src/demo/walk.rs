//! The walk that the demo prints: lines to paste into another terminal, in their order.

use std::fmt;

/// What the walk needs to know.
pub(crate) struct Walk {
    pub(crate) address: String,
    pub(crate) consumer: String,
    pub(crate) developer: String,
    pub(crate) admin: String,
    /// Where models run; nowhere but in this process when it is not said.
    pub(crate) gpus: Option<String>,
}

impl fmt::Display for Walk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            consumer,
            developer,
            admin,
            gpus,
        } = self;
        let gpus = match gpus {
            Some(address) => format!("Models run at {address}."),
            None => {
                "No GPU is needed: an emulator stands in for RunPod, and whatever it makes says so."
                    .to_owned()
            }
        };
        write!(
            formatter,
            r#"
Tarsify listens on {address}   (documentation: {address}/docs/)
Ctrl-C stops it; what you do here is kept for the next time.
{gpus}

Paste into another terminal. Three people are signed in, each for a day:

export TARSIFY='{address}'
export CONSUMER='{consumer}'
export DEVELOPER='{developer}'
export ADMIN='{admin}'

# Anybody browses the market, looks for something and opens a model.
curl -s "$TARSIFY/api/marketplace/models?limit=3"
curl -s "$TARSIFY/api/marketplace/models?search=anime"
curl -s "$TARSIFY/api/marketplace/models/anime-generator"

# A consumer has a profile, runs a model and waits for the result, all in one call.
curl -s "$TARSIFY/api/marketplace/auth/me" -H "Authorization: Bearer $CONSUMER"
curl -s "$TARSIFY/api/marketplace/models/plain-language/run" -H "Authorization: Bearer $CONSUMER" -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '{{"inputs":{{"prompt":"The lessee shall indemnify the lessor."}}}}'

# A picture is long; this is its beginning.
curl -s "$TARSIFY/api/marketplace/models/anime-generator/run" -H "Authorization: Bearer $CONSUMER" -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '{{"inputs":{{"prompt":"a lighthouse at dusk"}}}}' | cut -c 1-500

# He need not wait: the run goes on, and tells how it is whenever he asks.
RUN=$(curl -s "$TARSIFY/api/marketplace/models/fridge-chef/run" -H "Authorization: Bearer $CONSUMER" -H 'Content-Type: application/json' -d '{{"inputs":{{"prompt":"spinach, two eggs, old bread"}}}}' | grep -o '"executionId":"[^"]*"' | cut -d '"' -f 4)
curl -s "$TARSIFY/api/marketplace/runs/$RUN/status?waitMs=20000" -H "Authorization: Bearer $CONSUMER"

# Or he watches what happens, from the first event to the end.
curl -sN "$TARSIFY/api/marketplace/runs/$RUN/events" -H "Authorization: Bearer $CONSUMER"

# What takes too long for him is called off.
RUN=$(curl -s "$TARSIFY/api/marketplace/models/subtitle-maker/run" -H "Authorization: Bearer $CONSUMER" -H 'Content-Type: application/json' -d '{{"inputs":{{"audio":"https://example.com/lecture.mp3"}}}}' | grep -o '"executionId":"[^"]*"' | cut -d '"' -f 4)
curl -s -X POST "$TARSIFY/api/marketplace/runs/$RUN/cancel" -H "Authorization: Bearer $CONSUMER"
curl -s "$TARSIFY/api/marketplace/runs?limit=5" -H "Authorization: Bearer $CONSUMER"

# What did not work cost nothing. He buys more credits; the page takes a test card here, and Stripe's does in earnest.
curl -s "$TARSIFY/api/marketplace/runs/$RUN/receipt" -H "Authorization: Bearer $CONSUMER"
curl -s "$TARSIFY/api/marketplace/credits/packages"
PAGE=$(curl -s "$TARSIFY/api/marketplace/credits/purchase" -H "Authorization: Bearer $CONSUMER" -H 'Content-Type: application/json' -d '{{"amountCents":1000}}' | grep -o '"checkoutUrl":"[^"]*"' | cut -d '"' -f 4)
curl -s "$PAGE" -d outcome=pay | grep -o 'It is paid[^<]*'
curl -s "$TARSIFY/api/marketplace/credits" -H "Authorization: Bearer $CONSUMER"
curl -s "$TARSIFY/api/marketplace/credits/transactions?limit=5" -H "Authorization: Bearer $CONSUMER"

# A developer brands a base model, tries it himself, publishes it, and there it is.
BASE=$(curl -s "$TARSIFY/api/studio/base-models?category=IMAGE" -H "Authorization: Bearer $DEVELOPER" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
SLUG="my-model-$(date +%s)"
MODEL=$(curl -s "$TARSIFY/api/studio/tars-models" -H "Authorization: Bearer $DEVELOPER" -H 'Content-Type: application/json' -d "{{\"baseModelId\":\"$BASE\",\"title\":\"My model\",\"slug\":\"$SLUG\",\"priceCredits\":15,\"configOverrides\":{{\"lockedInputs\":{{\"width\":1024}},\"promptPrefix\":\"watercolour, \"}}}}" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
curl -s "$TARSIFY/api/studio/tars-models/$MODEL/test-run" -H "Authorization: Bearer $DEVELOPER" -H 'Content-Type: application/json' -d '{{"inputs":{{"prompt":"a fox in the snow"}}}}' | cut -c 1-500
curl -s -X POST "$TARSIFY/api/studio/tars-models/$MODEL/publish" -H "Authorization: Bearer $DEVELOPER"
curl -s "$TARSIFY/api/marketplace/models/$SLUG"

# Somebody runs it, and the developer has earned 70 % of 15 credits.
curl -s "$TARSIFY/api/marketplace/models/$SLUG/run" -H "Authorization: Bearer $CONSUMER" -H 'Content-Type: application/json' -H 'Prefer: wait=30' -d '{{"inputs":{{"prompt":"a heron"}}}}' | cut -c 1-300
curl -s "$TARSIFY/api/studio/earnings" -H "Authorization: Bearer $DEVELOPER"
curl -s "$TARSIFY/api/studio/analytics?period=7d" -H "Authorization: Bearer $DEVELOPER"

# An administrator sees the endpoints that nobody else sees, how a run went there, and that the money is right.
curl -s "$TARSIFY/api/admin/endpoints" -H "Authorization: Bearer $ADMIN"
curl -s "$TARSIFY/api/admin/executions/$RUN" -H "Authorization: Bearer $ADMIN"
curl -s "$TARSIFY/api/admin/ledger/verify" -H "Authorization: Bearer $ADMIN"
"#
        )
    }
}

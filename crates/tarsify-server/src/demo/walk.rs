//! The walk that the demo prints: lines to paste into another terminal, in their order.

use std::fmt;

/// What the walk needs to know.
pub(crate) struct Walk {
    pub(crate) address: String,
    pub(crate) consumer: String,
    pub(crate) developer: String,
    pub(crate) admin: String,
}

impl fmt::Display for Walk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address,
            consumer,
            developer,
            admin,
        } = self;
        write!(
            formatter,
            r#"
Tarsify listens on {address}   (documentation: {address}/docs/)
Ctrl-C stops it; what you do here is kept for the next time.

Paste into another terminal. Three people are signed in, each for a day:

export TARSIFY='{address}'
export CONSUMER='{consumer}'
export DEVELOPER='{developer}'
export ADMIN='{admin}'

# Anybody browses the market, looks for something and opens a model.
curl -s "$TARSIFY/api/marketplace/models?limit=3"
curl -s "$TARSIFY/api/marketplace/models?search=anime"
curl -s "$TARSIFY/api/marketplace/models/anime-generator"

# A consumer has a profile.
curl -s "$TARSIFY/api/marketplace/auth/me" -H "Authorization: Bearer $CONSUMER"

# A developer brands a base model, publishes it, and there it is.
BASE=$(curl -s "$TARSIFY/api/studio/base-models?category=IMAGE" -H "Authorization: Bearer $DEVELOPER" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
SLUG="my-model-$(date +%s)"
MODEL=$(curl -s "$TARSIFY/api/studio/tars-models" -H "Authorization: Bearer $DEVELOPER" -H 'Content-Type: application/json' -d "{{\"baseModelId\":\"$BASE\",\"title\":\"My model\",\"slug\":\"$SLUG\",\"priceCredits\":15,\"configOverrides\":{{\"lockedInputs\":{{\"width\":1024}},\"promptPrefix\":\"watercolour, \"}}}}" | grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4)
curl -s -X POST "$TARSIFY/api/studio/tars-models/$MODEL/publish" -H "Authorization: Bearer $DEVELOPER"
curl -s "$TARSIFY/api/marketplace/models/$SLUG"

# An administrator sees the endpoints that nobody else sees.
curl -s "$TARSIFY/api/admin/endpoints" -H "Authorization: Bearer $ADMIN"
"#
        )
    }
}

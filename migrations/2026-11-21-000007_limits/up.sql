-- Limits on callers: what an administrator decides, and how many runs of a consumer may be
-- unfinished at once.

-- One row for good. What stands in it is checked by the program that reads and writes it.
CREATE TABLE rate_limit_settings (
    id boolean NOT NULL DEFAULT true,
    settings jsonb NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    CONSTRAINT rate_limit_settings_pkey PRIMARY KEY (id),
    CONSTRAINT rate_limit_settings_only_check CHECK (id),
    CONSTRAINT rate_limit_settings_object_check CHECK (jsonb_typeof(settings) = 'object')
);

INSERT INTO rate_limit_settings (settings, updated_at) VALUES ('{
    "tiers": [
        {"name": "free", "minPurchased": 0, "multiplier": 1},
        {"name": "basic", "minPurchased": 100, "multiplier": 1.5},
        {"name": "premium", "minPurchased": 500, "multiplier": 2},
        {"name": "vip", "minPurchased": 2000, "multiplier": 3}
    ],
    "limits": {
        "globalApi": {"max": 200}, "userApi": {"max": 60}, "taskCreation": {"max": 10},
        "upload": {"max": 30}, "authSession": {"max": 120}, "authAction": {"max": 10}
    },
    "maxConcurrentRuns": 5
}', now());

CREATE INDEX executions_unfinished_index ON executions (consumer_id)
    WHERE consumer_id IS NOT NULL AND stage <> 'ended';

-- Whether one more run fits beside those of the consumer that have not ended. Whoever asks waits
-- until nobody else is about to begin one for him, and then looks anew: in a function that is
-- volatile each statement sees what was committed before it.
CREATE FUNCTION has_room_for_run(of_consumer uuid, most bigint) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7, hashtext(of_consumer::text));
    RETURN most > (
        SELECT count(*) FROM (
            SELECT FROM executions WHERE consumer_id = of_consumer AND stage <> 'ended' LIMIT most
        ) unfinished
    );
END
$$;

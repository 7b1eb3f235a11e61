-- People of two wholly separate realms, and the identities that lead to them. Nothing
-- cascades from a person: financial rows outlive him, so he is anonymised, never deleted.

CREATE TABLE people (
    id uuid NOT NULL,
    realm text NOT NULL,
    email text,
    -- Whether the issuer has seen that the address is his.
    email_is_verified boolean NOT NULL DEFAULT false,
    -- A consumer's name, or the name that the market shows of a developer.
    name text,
    avatar_url text,
    status text NOT NULL DEFAULT 'ACTIVE',
    role text NOT NULL DEFAULT 'USER',
    tokens_valid_after timestamptz,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT people_pkey PRIMARY KEY (id),
    -- What the tables of each realm refer to, so that a row and its realm always agree.
    CONSTRAINT people_id_realm_unique UNIQUE (id, realm),
    CONSTRAINT people_realm_check CHECK (realm IN ('CONSUMERS', 'DEVELOPERS')),
    CONSTRAINT people_email_check CHECK (char_length(email) BETWEEN 3 AND 255),
    CONSTRAINT people_name_check CHECK (char_length(name) BETWEEN 2 AND 100),
    CONSTRAINT people_avatar_url_check CHECK (char_length(avatar_url) BETWEEN 1 AND 2048),
    CONSTRAINT people_status_check CHECK (status IN ('ACTIVE', 'DISABLED')),
    CONSTRAINT people_role_check CHECK (role IN ('USER', 'ADMIN')),
    CONSTRAINT people_consumer_role_check CHECK (realm = 'DEVELOPERS' OR role = 'USER'),
    CONSTRAINT people_version_check CHECK (version >= 1)
);

-- Whoever has only claimed an address must not keep its owner out.
CREATE UNIQUE INDEX people_email_unique ON people (realm, lower(email)) WHERE email_is_verified;

CREATE TABLE consumers (
    id uuid NOT NULL,
    realm text NOT NULL DEFAULT 'CONSUMERS',
    run_count bigint NOT NULL DEFAULT 0,
    purchase_count bigint NOT NULL DEFAULT 0,
    credits_spent bigint NOT NULL DEFAULT 0,
    CONSTRAINT consumers_pkey PRIMARY KEY (id),
    CONSTRAINT consumers_realm_check CHECK (realm = 'CONSUMERS'),
    CONSTRAINT consumers_person_fkey FOREIGN KEY (id, realm) REFERENCES people (id, realm),
    CONSTRAINT consumers_run_count_check CHECK (run_count >= 0),
    CONSTRAINT consumers_purchase_count_check CHECK (purchase_count >= 0),
    CONSTRAINT consumers_credits_spent_check CHECK (credits_spent >= 0)
);

CREATE TABLE developers (
    id uuid NOT NULL,
    realm text NOT NULL DEFAULT 'DEVELOPERS',
    bio text,
    country char(2),
    payout_email text,
    stripe_account_id text,
    is_verified boolean NOT NULL DEFAULT false,
    profile_is_complete boolean NOT NULL DEFAULT false,
    CONSTRAINT developers_pkey PRIMARY KEY (id),
    CONSTRAINT developers_realm_check CHECK (realm = 'DEVELOPERS'),
    CONSTRAINT developers_person_fkey FOREIGN KEY (id, realm) REFERENCES people (id, realm),
    CONSTRAINT developers_bio_check CHECK (char_length(bio) <= 500),
    CONSTRAINT developers_country_check CHECK (country ~ '^[A-Z]{2}$'),
    CONSTRAINT developers_payout_email_check CHECK (char_length(payout_email) BETWEEN 3 AND 255),
    CONSTRAINT developers_stripe_account_id_check CHECK (char_length(stripe_account_id) BETWEEN 1 AND 255)
);

CREATE UNIQUE INDEX developers_stripe_account_id_unique ON developers (stripe_account_id);

-- Who vouches for a person, and under which name. A person may come to have several.
CREATE TABLE identities (
    realm text NOT NULL,
    issuer text NOT NULL,
    subject text NOT NULL,
    person_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT identities_pkey PRIMARY KEY (realm, issuer, subject),
    CONSTRAINT identities_person_fkey FOREIGN KEY (person_id, realm) REFERENCES people (id, realm),
    CONSTRAINT identities_issuer_check CHECK (char_length(issuer) BETWEEN 1 AND 1000),
    CONSTRAINT identities_subject_check CHECK (char_length(subject) BETWEEN 1 AND 1000)
);

CREATE INDEX identities_person_index ON identities (person_id, realm);

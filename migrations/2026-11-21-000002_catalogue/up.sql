-- What is for sale: endpoints, the base models on them, and the tars models made of those.
-- `json` instead of `jsonb` where the author's order of keys matters, because forms follow it.

CREATE TABLE endpoints (
    id uuid NOT NULL,
    provider_endpoint_id text NOT NULL,
    provider text NOT NULL,
    name text NOT NULL,
    source text NOT NULL,
    docker_image text,
    gpu_type text NOT NULL,
    is_active boolean NOT NULL,
    limits jsonb NOT NULL DEFAULT '{}',
    -- Which entry of the seed file made the row; null for what administrators registered.
    seed_key text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT endpoints_pkey PRIMARY KEY (id),
    CONSTRAINT endpoints_provider_endpoint_id_unique UNIQUE (provider, provider_endpoint_id),
    CONSTRAINT endpoints_seed_key_unique UNIQUE (seed_key),
    CONSTRAINT endpoints_provider_endpoint_id_check CHECK (
        char_length(provider_endpoint_id) <= 100
        AND provider_endpoint_id ~ '^[A-Za-z0-9_.-]+$'
        AND provider_endpoint_id !~ '^[.]+$'
    ),
    -- Further providers will come, so their set is the program's to know.
    CONSTRAINT endpoints_provider_check CHECK (provider ~ '^[a-z0-9_-]{1,50}$'),
    CONSTRAINT endpoints_name_check CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT endpoints_source_check CHECK (source IN ('HUB', 'CUSTOM')),
    CONSTRAINT endpoints_docker_image_check CHECK (char_length(docker_image) BETWEEN 1 AND 500),
    CONSTRAINT endpoints_gpu_type_check CHECK (char_length(gpu_type) BETWEEN 1 AND 100),
    CONSTRAINT endpoints_limits_check CHECK (jsonb_typeof(limits) = 'object'),
    CONSTRAINT endpoints_seed_key_check CHECK (char_length(seed_key) BETWEEN 1 AND 100),
    CONSTRAINT endpoints_version_check CHECK (version >= 1)
);

CREATE INDEX endpoints_newest_index ON endpoints (created_at, id);

CREATE TABLE base_models (
    id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    description text,
    category text NOT NULL,
    input_schema json NOT NULL,
    output_type text NOT NULL,
    output_format text NOT NULL,
    estimated_seconds integer NOT NULL,
    timeout_seconds integer NOT NULL,
    is_active boolean NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT base_models_pkey PRIMARY KEY (id),
    CONSTRAINT base_models_endpoint_fkey FOREIGN KEY (endpoint_id) REFERENCES endpoints (id),
    CONSTRAINT base_models_slug_check CHECK (
        char_length(slug) <= 200 AND slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'
    ),
    CONSTRAINT base_models_name_check CHECK (char_length(name) BETWEEN 1 AND 200),
    CONSTRAINT base_models_description_check CHECK (char_length(description) <= 5000),
    CONSTRAINT base_models_category_check CHECK (
        category IN ('IMAGE', 'AUDIO', 'TEXT', 'VIDEO', 'DOCUMENT')
    ),
    CONSTRAINT base_models_input_schema_check CHECK (json_typeof(input_schema) = 'object'),
    CONSTRAINT base_models_output_type_check CHECK (
        output_type IN ('IMAGE', 'AUDIO', 'TEXT', 'FILE', 'JSON')
    ),
    CONSTRAINT base_models_output_format_check CHECK (char_length(output_format) BETWEEN 1 AND 50),
    CONSTRAINT base_models_estimated_seconds_check CHECK (estimated_seconds BETWEEN 1 AND 604800),
    CONSTRAINT base_models_timeout_seconds_check CHECK (timeout_seconds BETWEEN 1 AND 604800),
    CONSTRAINT base_models_version_check CHECK (version >= 1)
);

CREATE UNIQUE INDEX base_models_slug_unique ON base_models (lower(slug));
CREATE INDEX base_models_endpoint_index ON base_models (endpoint_id);
CREATE INDEX base_models_newest_index ON base_models (created_at, id);
CREATE INDEX base_models_category_index ON base_models (category, created_at, id);

CREATE TABLE tars_models (
    id uuid NOT NULL,
    developer_id uuid NOT NULL,
    base_model_id uuid NOT NULL,
    title text NOT NULL,
    slug text NOT NULL,
    description text,
    config_overrides json NOT NULL,
    price_credits bigint NOT NULL,
    status text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    total_runs bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    published_at timestamptz,
    CONSTRAINT tars_models_pkey PRIMARY KEY (id),
    CONSTRAINT tars_models_developer_fkey FOREIGN KEY (developer_id) REFERENCES developers (id),
    CONSTRAINT tars_models_base_model_fkey FOREIGN KEY (base_model_id) REFERENCES base_models (id),
    CONSTRAINT tars_models_title_check CHECK (char_length(title) BETWEEN 1 AND 200),
    CONSTRAINT tars_models_slug_check CHECK (
        char_length(slug) <= 200 AND slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'
    ),
    CONSTRAINT tars_models_description_check CHECK (char_length(description) <= 5000),
    CONSTRAINT tars_models_config_overrides_check CHECK (json_typeof(config_overrides) = 'object'),
    CONSTRAINT tars_models_price_credits_check CHECK (price_credits BETWEEN 0 AND 1000000),
    CONSTRAINT tars_models_status_check CHECK (status IN ('DRAFT', 'PUBLISHED', 'ARCHIVED')),
    CONSTRAINT tars_models_published_at_check CHECK (
        status <> 'PUBLISHED' OR published_at IS NOT NULL
    ),
    CONSTRAINT tars_models_version_check CHECK (version >= 1),
    CONSTRAINT tars_models_total_runs_check CHECK (total_runs >= 0)
);

CREATE UNIQUE INDEX tars_models_slug_unique ON tars_models (lower(slug));
CREATE INDEX tars_models_base_model_index ON tars_models (base_model_id);
CREATE INDEX tars_models_newest_index ON tars_models (created_at, id);
CREATE INDEX tars_models_developer_index ON tars_models (developer_id, created_at, id);

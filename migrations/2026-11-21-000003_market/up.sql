-- What the market needs to be quick: its orders, its search, and the number that tells every
-- process that the catalogue has changed.

-- One index for each order; read backwards for the opposite one.
CREATE INDEX tars_models_market_newest_index ON tars_models (published_at, id)
    WHERE status = 'PUBLISHED';
CREATE INDEX tars_models_market_popular_index ON tars_models (total_runs, id)
    WHERE status = 'PUBLISHED';
CREATE INDEX tars_models_market_price_index ON tars_models (price_credits, id)
    WHERE status = 'PUBLISHED';
CREATE INDEX tars_models_market_title_index ON tars_models ((lower(title) COLLATE "C"), id)
    WHERE status = 'PUBLISHED';
-- A category is a set of base models.
CREATE INDEX tars_models_market_base_model_index ON tars_models (base_model_id, published_at, id)
    WHERE status = 'PUBLISHED';

-- The words of a text. 'simple' because titles are in any language, and because a stemmed word
-- could not be found by its beginning. Every sign of ASCII splits words: PostgreSQL's own parser
-- would keep some together as a host name, a path or a compound, and drop others as a tag. Pinned
-- to the server's own schema, so that the generated column does not depend on a search_path.
CREATE FUNCTION catalog_words(words text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.to_tsvector(
        'pg_catalog.simple'::regconfig,
        pg_catalog.translate(
            words, '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', '                                '
        )
    );

ALTER TABLE tars_models ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (
    setweight(catalog_words(title), 'A')
    || setweight(catalog_words(slug), 'B')
    || setweight(catalog_words(coalesce(description, '')), 'C')
) STORED;

CREATE INDEX tars_models_market_search_index ON tars_models USING gin (search)
    WHERE status = 'PUBLISHED';

CREATE TABLE catalog_version (
    id smallint NOT NULL DEFAULT 1,
    version bigint NOT NULL DEFAULT 1,
    CONSTRAINT catalog_version_pkey PRIMARY KEY (id),
    CONSTRAINT catalog_version_id_check CHECK (id = 1),
    CONSTRAINT catalog_version_version_check CHECK (version >= 1)
);
INSERT INTO catalog_version DEFAULT VALUES;

-- Runs when a transaction commits, so the one row is the last lock that any transaction takes:
-- it is held only for the commit itself and can close no circle of waiting. A row that this
-- very transaction has written needs no second number.
CREATE FUNCTION bump_catalog_version() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE catalog_version
    SET version = version + 1
    WHERE id = 1 AND xmin <> pg_current_xact_id()::xid;
    RETURN NULL;
END
$$;

-- An endpoint is never shown, but whether and where its models run is remembered like them.
CREATE CONSTRAINT TRIGGER endpoints_catalog_version
    AFTER UPDATE OF provider, provider_endpoint_id, is_active, limits ON endpoints
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE CONSTRAINT TRIGGER base_models_catalog_version
    AFTER INSERT OR DELETE OR UPDATE ON base_models
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

-- Every column but total_runs: runs are counted far more often than models are edited.
CREATE CONSTRAINT TRIGGER tars_models_catalog_version
    AFTER INSERT OR DELETE OR UPDATE OF
        developer_id, base_model_id, title, slug, description, config_overrides, price_credits,
        status, version, created_at, updated_at, published_at
    ON tars_models
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bump_catalog_version();

CREATE CONSTRAINT TRIGGER people_catalog_version
    AFTER UPDATE OF name ON people
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.realm = 'DEVELOPERS' AND OLD.name IS DISTINCT FROM NEW.name)
    EXECUTE FUNCTION bump_catalog_version();

-- What a schema offers to the programs that run on it, one line for each thing; bodies of functions and views may change. The
-- files of the releases are written by this, and compared by crates/tarsify-db/tests/it/releases.rs.
WITH relations AS (
    SELECT oid, relname::text AS name, relkind
    FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'c', 'S')
        AND relname <> '__diesel_schema_migrations'
),
-- The columns that a constraint or an index is about, in its own order; an expression has none.
about AS (
    SELECT constraints.oid, string_agg(attname::text, ', ' ORDER BY place) AS columns
    FROM pg_constraint constraints
    CROSS JOIN unnest(conkey) WITH ORDINALITY AS key(attnum, place)
    JOIN pg_attribute ON attrelid = conrelid AND pg_attribute.attnum = key.attnum
    GROUP BY constraints.oid
    UNION ALL
    SELECT indexrelid, string_agg(coalesce(attname::text, '*'), ', ' ORDER BY place)
    FROM pg_index
    CROSS JOIN unnest(indkey::int2[]) WITH ORDINALITY AS key(attnum, place)
    LEFT JOIN pg_attribute ON attrelid = indrelid AND pg_attribute.attnum = key.attnum
    -- What is only kept beside the key is not compared.
    WHERE place <= indnkeyatts
    GROUP BY indexrelid
)
SELECT line FROM (
    SELECT format('%s %s', CASE WHEN relkind IN ('r', 'p') THEN 'table' WHEN relkind = 'c' THEN 'type'
        WHEN relkind = 'S' THEN 'sequence' ELSE 'view' END, name) AS line
    FROM relations
    UNION ALL
    SELECT format('column %s.%s: %s%s%s', name, attname, format_type(atttypid, atttypmod),
        CASE WHEN attnotnull THEN ' not null' ELSE '' END,
        CASE WHEN attgenerated <> '' THEN ' generated ' || pg_get_expr(adbin, adrelid)
            WHEN attidentity <> '' THEN ' default identity'
            WHEN atthasdef THEN ' default ' || pg_get_expr(adbin, adrelid) ELSE '' END)
    FROM relations
    JOIN pg_attribute ON attrelid = relations.oid AND attnum > 0 AND NOT attisdropped AND relkind <> 'S'
    LEFT JOIN pg_attrdef ON adrelid = relations.oid AND adnum = attnum
    UNION ALL
    SELECT format('%s %s.%s: (%s) %s', CASE contype WHEN 'f' THEN 'reference' ELSE 'check' END, name, conname,
        about.columns, pg_get_constraintdef(pg_constraint.oid))
    FROM relations
    JOIN pg_constraint ON conrelid = relations.oid AND contype IN ('c', 'f', 'x')
    LEFT JOIN about ON about.oid = pg_constraint.oid
    UNION ALL
    SELECT format('unique %s.%s: (%s) %s', name, indexes.relname, about.columns, pg_get_indexdef(indexrelid))
    FROM relations
    JOIN pg_index ON indrelid = relations.oid AND indisunique
    JOIN pg_class indexes ON indexes.oid = indexrelid
    JOIN about ON about.oid = indexrelid
    UNION ALL
    SELECT format('trigger %s.%s: %s', name, tgname, pg_get_triggerdef(pg_trigger.oid))
    FROM relations
    JOIN pg_trigger ON tgrelid = relations.oid AND NOT tgisinternal
    UNION ALL
    SELECT format('function %s(%s): returns %s', proname, pg_get_function_arguments(oid), pg_get_function_result(oid))
    FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prokind IN ('f', 'p')
    UNION ALL
    SELECT format('type %s: enum (%s)', typname, string_agg(enumlabel::text, ', ' ORDER BY enumsortorder))
    FROM pg_type
    JOIN pg_enum ON enumtypid = pg_type.oid
    WHERE typnamespace = 'public'::regnamespace
    GROUP BY typname
) lines
ORDER BY line COLLATE "C"

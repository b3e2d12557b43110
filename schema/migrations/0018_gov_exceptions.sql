-- Owner, severity and age limit of each exception code.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_exceptions
(
    code LowCardinality(String),
    title String,
    owner LowCardinality(String),
    severity UInt8,
    sla_s UInt32,
    escalate_to LowCardinality(String),
    workflow LowCardinality(String),
    awaits Array(String) COMMENT 'object_type.state whose absence it is'
)
ENGINE = MergeTree
ORDER BY (code)

-- Who can own something.
-- Writer: schema/migrate.py, from the catalogue, replaced whole when it changes. Small; read as a lookup.
CREATE TABLE gov_teams
(
    team LowCardinality(String),
    title String,
    contact String
)
ENGINE = MergeTree
ORDER BY (team)

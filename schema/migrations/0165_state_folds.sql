-- By which rules (catalogue, migrations, texts of the folds) the whole state was folded; an empty one: that is owed, or under way.
-- Writer: schema/state.py, before and after it folds everything. Grain: one such word; the last (n) counts. Retention: none, it is small.
CREATE TABLE state_folds
(
    n     UInt64,
    rules String
)
ENGINE = MergeTree
ORDER BY n

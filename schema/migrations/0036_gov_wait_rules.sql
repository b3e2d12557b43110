-- What counts as a wait, and how it begins and ends: the promises of the workflows, the tolerances that name a wait, the stages, the guards
-- of invoices, the progress of what is active. `kind` says how it is read (folds/waits.sql).
-- Writer: schema/policy.py, from the catalogue, replaced whole when it changes. Small; read as a lookup, also at each write of the state.
-- `what` is 'workflows', 'stages', or the tolerance; `name` the workflow, the stage, or the tolerance again. `begins` is a state, 'plan:' and
-- a state, or 'guard:' and a guard. `done` ends a wait, `dropping` drops it.
CREATE TABLE gov_wait_rules
(
    what        LowCardinality(String),
    name        LowCardinality(String),
    object_type LowCardinality(String),
    kind        LowCardinality(String) COMMENT 'wait, stay, overlay, guards, progress',
    begins      String,
    done        Array(String),
    states      Array(String),
    overlay     LowCardinality(String),
    expected    LowCardinality(String) COMMENT 'the state after a stage',
    dropping    Array(String),
    reversals   Array(String),
    blocks      Array(String) COMMENT 'overlays under which nobody waits',
    limit_s     UInt32,
    modes       Array(String),
    mode_limits Array(UInt32),
    clock       LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (object_type, what, name)

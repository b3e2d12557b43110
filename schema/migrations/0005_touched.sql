-- The working set of one refresh round: 0 = own events are new, 1 = these and their neighbours. Emptied at each round.
CREATE TABLE touched
(
    step        UInt8,
    object_type LowCardinality(String),
    object_id   String
)
ENGINE = Memory

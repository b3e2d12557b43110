-- The attributes of a message (key -> bytes of the AnyValue) as those of the exporter's tables, in the order sent.
-- Writer: none.
CREATE OR REPLACE FUNCTION milepost_otlp_attributes AS (attributes) -> mapFromArrays(
    mapKeys(attributes),
    arrayMap(attribute -> milepost_otlp_text(attribute), mapValues(attributes))
)

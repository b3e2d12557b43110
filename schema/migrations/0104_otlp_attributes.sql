-- A list of OTLP attributes as the map of the exporter's tables, in the order sent.
-- Writer: none.
CREATE OR REPLACE FUNCTION milepost_otlp_attributes AS (list) -> mapFromArrays(
    arrayMap(attribute -> attribute.key, list),
    arrayMap(attribute -> milepost_otlp_text(attribute.value), list)
)

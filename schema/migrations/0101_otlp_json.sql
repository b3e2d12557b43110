-- A scalar AnyValue inside an array or a list of keys, as JSON: bytes as base64, nothing as null, and what JSON has no
-- number for ("NaN", "+Inf", "-Inf") as a string, where pdata would lose the whole attribute.
-- Writer: none. Containers within containers are rendered by collectors/formats/otlp.py before the engine sees them.
CREATE OR REPLACE FUNCTION milepost_otlp_json AS (v) -> multiIf(
    tupleElement(v, 'value') = 'string_value', toJSONString(tupleElement(v, 'string_value')),
    tupleElement(v, 'value') = 'int_value', toString(tupleElement(v, 'int_value')),
    tupleElement(v, 'value') = 'bool_value', if(tupleElement(v, 'bool_value'), 'true', 'false'),
    tupleElement(v, 'value') = 'double_value', if(isFinite(tupleElement(v, 'double_value')), milepost_otlp_number(tupleElement(v, 'double_value')),
        concat('"', milepost_otlp_number(tupleElement(v, 'double_value')), '"')),
    tupleElement(v, 'value') = 'bytes_value', concat('"', base64Encode(tupleElement(v, 'bytes_value')), '"'),
    'null'
)

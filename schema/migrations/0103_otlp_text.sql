-- An AnyValue as the text of an attribute, as pdata's AsString writes it: arrays and lists of keys are compact JSON, bytes are
-- base64, nothing is ''.
-- Writer: none. Its definition is text() in collectors/formats/otlp_values.py; tests hold the two together.
CREATE OR REPLACE FUNCTION milepost_otlp_text AS (v) -> multiIf(
    tupleElement(v, 'value') = 'string_value', tupleElement(v, 'string_value'),
    tupleElement(v, 'value') = 'int_value', toString(tupleElement(v, 'int_value')),
    tupleElement(v, 'value') = 'bool_value', if(tupleElement(v, 'bool_value'), 'true', 'false'),
    tupleElement(v, 'value') = 'double_value', if(isFinite(tupleElement(v, 'double_value')), '', 'json: unsupported value: ')
        || milepost_otlp_number(tupleElement(v, 'double_value')),
    tupleElement(v, 'value') = 'array_value', concat('[', arrayStringConcat(
        arrayMap(item -> milepost_otlp_json(item), tupleElement(tupleElement(v, 'array_value'), 'values')), ','), ']'),
    tupleElement(v, 'value') = 'kvlist_value', milepost_otlp_object(tupleElement(tupleElement(v, 'kvlist_value'), 'values')),
    tupleElement(v, 'value') = 'bytes_value', base64Encode(tupleElement(v, 'bytes_value')),
    ''
)

-- The bytes of a protobuf AnyValue as the text of an attribute, as the Collector's pdata writes it (AsString): a string as it is,
-- an integer in digits, true or false, a double in the shortest form that reads back (ECMAScript's: exponent below 1e-6 and from
-- 1e21), bytes as base64, nothing as ''. Arrays and lists of keys were made JSON text by collectors/formats/otlp_values.py.
-- Writer: none. Its definition is text() there; tests hold the two together. Why raw bytes: typed members cost a column each.
-- Why functions: seven views render attributes and must not differ. The engine writes the body into a view when the view is
-- created, so a view stands without it. (Names of lambda arguments differ from function to function: it substitutes text.)
CREATE OR REPLACE FUNCTION milepost_otlp_text AS (v) -> multiIf(
    startsWith(v, '\n'),
        substring(v, multiIf(length(v) < 130, 3, length(v) < 16387, 4, length(v) < 2097156, 5, 6)),
    startsWith(v, '\x18'),
        toString(reinterpretAsInt64(arraySum(
            i -> bitShiftLeft(toUInt64(bitAnd(reinterpretAsUInt8(substring(v, i + 1, 1)), 127)), 7 * (i - 1)),
            range(1, length(v))))),
    startsWith(v, '\x10'), if(v = '\x10\x01', 'true', 'false'),
    startsWith(v, '!'), transform(
        replaceRegexpOne(toString(reinterpretAsFloat64(substring(v, 2))), 'e([0-9])', 'e+\\1'),
        ['nan', 'inf', '-inf'],
        ['json: unsupported value: NaN', 'json: unsupported value: +Inf', 'json: unsupported value: -Inf']),
    startsWith(v, ':'),
        base64Encode(substring(v, multiIf(length(v) < 130, 3, length(v) < 16387, 4, length(v) < 2097156, 5, 6))),
    ''
)

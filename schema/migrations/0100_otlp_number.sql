-- A double as the Collector's pdata writes it (ES6): shortest round trip, exponent below 1e-6 and from 1e21, '+' in it.
-- Writer: none. Why functions: seven views render attributes and must not differ; the engine writes the body of a function
-- into the view when the view is created, so a view stands without it.
CREATE OR REPLACE FUNCTION milepost_otlp_number AS (x) -> multiIf(
    isNaN(x), 'NaN',
    isInfinite(x), if(x > 0, '+Inf', '-Inf'),
    abs(x) >= 1e21, replaceOne(toString(x), 'e', 'e+'),
    toString(x)
)

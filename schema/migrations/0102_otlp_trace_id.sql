-- A trace id as hex, '' if it is none: absent, all zero or not 16 bytes long.
-- Writer: none.
CREATE OR REPLACE FUNCTION milepost_otlp_trace_id AS (id) ->
    if(length(id) = 16 AND id != unhex('00000000000000000000000000000000'), lower(hex(id)), '')

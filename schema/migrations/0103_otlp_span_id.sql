-- A span id as hex, '' if it is none: absent, all zero or not 8 bytes long.
-- Writer: none.
CREATE OR REPLACE FUNCTION milepost_otlp_span_id AS (id) ->
    if(length(id) = 8 AND id != unhex('0000000000000000'), lower(hex(id)), '')

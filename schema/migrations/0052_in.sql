-- Whether a value of a cut lies within a scope: no item of it names the cut, or one names this value. Writer: none.
-- Of a statement that Milepost asks, schema/flat.py leaves what the scope at hand names.
CREATE OR REPLACE FUNCTION milepost_in AS (scope, cut, got) ->
    NOT arrayExists(item -> startsWith(item, cut || '='), scope) OR has(scope, cut || '=' || got)

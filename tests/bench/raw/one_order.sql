-- One order: where it stands, and since when.
SELECT history[-1].3 AS state, arrayLast((x, i) -> i = 1 OR x.3 != history[i - 1].3, history, arrayEnumerate(history)).1 AS state_at
FROM raw_objects(type = 'order')
WHERE object_id = {id:String}

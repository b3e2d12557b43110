-- Inventory movements and adjustments as they stood at as_of, and when the ERP posted them.
-- Parameters: as_of, since, scope, by, as in objects.
WITH (states, times, name) -> if(has(states, name) AND times[indexOf(states, name)] <= {as_of:DateTime64(3, 'UTC')}, times[indexOf(states, name)], NULL) AS reached
SELECT
    *,
    reached(m_state, m_at, 'adjusted') AS adjusted_at,
    reached(m_state, m_at, 'posted') AS posted_at
FROM objects(type = 'inventory', as_of = {as_of:DateTime64(3, 'UTC')}, since = {since:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})

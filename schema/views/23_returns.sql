-- Returns under way, as they stood at as_of, with their milestones.
-- Parameters: as_of, scope, by, as in objects.
WITH (states, times, name) -> if(has(states, name) AND times[indexOf(states, name)] <= {as_of:DateTime64(3, 'UTC')}, times[indexOf(states, name)], NULL) AS reached
SELECT
    *,
    reached(m_state, m_at, 'authorised') AS authorised_at,
    reached(m_state, m_at, 'received') AS received_at,
    reached(m_state, m_at, 'credited') AS credited_at
FROM objects(type = 'return', as_of = {as_of:DateTime64(3, 'UTC')}, since = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})

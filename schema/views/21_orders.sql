-- Orders under way, as they stood at as_of, with their milestones and whether a block lies over them.
-- Parameters: as_of, scope, by, as in objects.
WITH (states, times, name) -> if(has(states, name) AND times[indexOf(states, name)] <= {as_of:DateTime64(3, 'UTC')}, times[indexOf(states, name)], NULL) AS reached
SELECT
    *,
    reached(m_state, m_at, 'received') AS received_at,
    reached(m_state, m_at, 'confirmed') AS confirmed_at,
    reached(m_state, m_at, 'released') AS released_at,
    reached(m_state, m_at, 'shipped') AS shipped_at,
    reached(m_state, m_at, 'delivered') AS delivered_at,
    reached(m_state, m_at, 'invoiced') AS invoiced_at,
    notEmpty(blocks) AS is_blocked
FROM objects(type = 'order', as_of = {as_of:DateTime64(3, 'UTC')}, since = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})

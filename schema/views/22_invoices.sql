-- Invoices under way, as they stood at as_of, from before they exist: not ready, ready, created, posted, acknowledged.
-- Parameters: as_of, scope, by, as in objects.
WITH (states, times, name) -> if(has(states, name) AND times[indexOf(states, name)] <= {as_of:DateTime64(3, 'UTC')}, times[indexOf(states, name)], NULL) AS reached
SELECT
    *,
    reached(m_state, m_at, 'invoice_ready') AS ready_at,
    reached(m_state, m_at, 'created') AS created_at,
    reached(m_state, m_at, 'posted') AS posted_at,
    reached(m_state, m_at, 'sent') AS sent_at,
    reached(m_state, m_at, 'acknowledged') AS acknowledged_at
FROM objects(type = 'invoice', as_of = {as_of:DateTime64(3, 'UTC')}, since = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})

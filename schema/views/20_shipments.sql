-- Shipments under way, as they stood at as_of, with their milestones, the committed time, the estimate, and how long without progress is too long.
-- Parameters: as_of, scope, by, as in objects.
WITH (states, times, name) -> if(has(states, name) AND times[indexOf(states, name)] <= {as_of:DateTime64(3, 'UTC')}, times[indexOf(states, name)], NULL) AS reached
SELECT
    *,
    reached(m_state, m_at, 'confirmed') AS confirmed_at,
    reached(m_state, m_at, 'departed') AS departed_at,
    reached(m_state, m_at, 'in_transit') AS in_transit_at,
    reached(m_state, m_at, 'delivered') AS delivered_at,
    reached(m_state, m_at, 'pod_received') AS pod_at,
    if(has(p_state, 'delivered'), p_at[indexOf(p_state, 'delivered')], NULL) AS committed_at,
    if(has(e_state, 'delivered'), e_at[indexOf(e_state, 'delivered')], NULL) AS estimated_at,
    (SELECT mapFromArrays(groupArray(mode::String), groupArray(limit_s)) FROM gov_tolerances WHERE name = 'shipment_status') AS limits,
    if(mapContains(limits, mode), limits[mode], limits['']) AS stale_after_s,
    is_active AND progressed_at < {as_of:DateTime64(3, 'UTC')} - toIntervalSecond(stale_after_s) AS is_stale
FROM objects(type = 'shipment', as_of = {as_of:DateTime64(3, 'UTC')}, since = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})

-- Objects of one type as they stood at as_of: only milestones, holds and guards until then count.
-- Parameters: type, as_of, since (objects that had come to their final state before it are left out: as_of, for what is under way; 1970,
-- for all), scope (['region=EU-West', 'carrier=ABCD'], [] is all; several of one cut are alternatives), by (a cut, '' is
-- none). `series` is the value of the cut `by`. Times are NULL where they have not come. `waits_for` is the first unmet guard.
-- Cancelled rows are left out by name and not by FINAL, which merges forty columns to find the few: a tenth of its cost.
WITH toDateTime64(0, 3, 'UTC') AS never
SELECT
    object_type, object_id, tenant, region, warehouse, carrier, customer, order_class, mode,
    amount, currency, value, quantity, unit, keys, link_type, link_id, n_events, trace_id,
    milepost_cut({by:String}, tenant, region, warehouse, carrier, customer, order_class, mode) AS series,
    arrayCount(t -> t <= {as_of:DateTime64(3, 'UTC')}, h_at) AS k,
    if(k = 0, '', h_state[k]) AS state,
    if(k = 0, NULL, h_at[k]) AS state_at,
    h_level[k] AS rank,
    h_flags[k] AS flags,
    bitAnd(flags, 1) > 0 AS is_final,
    bitAnd(flags, 2) > 0 AS is_active,
    bitAnd(flags, 4) > 0 AS is_facility,
    nullIf(arrayMax(arrayFilter(t -> t <= {as_of:DateTime64(3, 'UTC')}, progress_at)), never) AS progressed_at,
    if(first_at = never OR first_at > {as_of:DateTime64(3, 'UTC')}, NULL, first_at) AS started_at,
    h_state, h_at, m_state, m_role, m_at, a_role, a_state, a_at, p_state, p_at, e_state, e_at, guard_for, guard_name, guard_at,
    arrayFilter((name, since, until) -> since <= {as_of:DateTime64(3, 'UTC')} AND (until = never OR until > {as_of:DateTime64(3, 'UTC')}), hold_name, hold_from, hold_to) AS holds,
    arrayFilter((name, is_block, since, until) -> is_block AND since <= {as_of:DateTime64(3, 'UTC')} AND (until = never OR until > {as_of:DateTime64(3, 'UTC')}),
        hold_name, hold_block, hold_from, hold_to) AS blocks,
    hold_name, hold_from, hold_to,
    if(rank = 0 OR is_final, 0, arrayFirstIndex((target, met_at) -> target > rank AND (met_at = never OR met_at > {as_of:DateTime64(3, 'UTC')}), guard_rank, guard_at)) AS w,
    if(w = 0, '', guard_name[w]) AS waits_for,
    if(w = 0, '', guard_for[w]) AS waits_to_be
FROM object_state
WHERE object_type = {type:String} AND rests_at >= {since:DateTime64(3, 'UTC')} AND sign = 1
  AND (object_id, ver) NOT IN
      (SELECT object_id, ver FROM object_state WHERE sign = -1 AND object_type = {type:String} AND rests_at >= {since:DateTime64(3, 'UTC')})
  AND milepost_in({scope:Array(String)}, 'tenant', tenant)
  AND milepost_in({scope:Array(String)}, 'region', region)
  AND milepost_in({scope:Array(String)}, 'warehouse', warehouse)
  AND milepost_in({scope:Array(String)}, 'carrier', carrier)
  AND milepost_in({scope:Array(String)}, 'customer', customer)
  AND milepost_in({scope:Array(String)}, 'order_class', order_class)
  AND milepost_in({scope:Array(String)}, 'mode', mode)

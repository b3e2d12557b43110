-- Objects of one type as they stood at as_of: only milestones, holds and guards until then count.
-- Parameters: type, as_of, scope (['region=EU-West', 'carrier=ABCD'], [] is all; several of one cut are alternatives), by (a cut, '' is
-- none). `series` is the value of the cut `by`. Times are NULL where they have not come. `waits_for` is the first unmet guard.
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT groupArray(state) FROM (SELECT state FROM gov_states WHERE object_type = {type:String} ORDER BY state)) AS s_names,
    (SELECT groupArray(toUInt8(is_final) + 2 * is_active + 4 * is_facility + 8 * is_reversal) FROM (SELECT * FROM gov_states WHERE object_type = {type:String} ORDER BY state)) AS s_flags,
    (SELECT groupArray(rank) FROM (SELECT * FROM gov_states WHERE object_type = {type:String} ORDER BY state)) AS s_ranks
SELECT
    object_type, object_id, tenant, region, warehouse, carrier, customer, order_class, mode,
    amount, currency, value, quantity, unit, keys, link_type, link_id, n_events,
    multiIf({by:String} = 'region', region, {by:String} = 'warehouse', warehouse, {by:String} = 'carrier', carrier, {by:String} = 'customer', customer,
            {by:String} = 'order_class', order_class, {by:String} = 'mode', mode, {by:String} = 'tenant', tenant, '') AS series,
    arrayCount(t -> t <= {as_of:DateTime64(3, 'UTC')}, h_at) AS k,
    if(k = 0, '', h_state[k]) AS state,
    if(k = 0, NULL, h_at[k]) AS state_at,
    transform(state, s_names, s_ranks, 0) AS rank,
    transform(state, s_names, s_flags, 0) AS flags,
    bitAnd(flags, 1) > 0 AS is_final,
    bitAnd(flags, 2) > 0 AS is_active,
    bitAnd(flags, 4) > 0 AS is_facility,
    nullIf(arrayMax(arrayFilter(t -> t <= {as_of:DateTime64(3, 'UTC')}, progress_at)), never) AS progressed_at,
    if(first_at = never OR first_at > {as_of:DateTime64(3, 'UTC')}, NULL, first_at) AS started_at,
    h_state, h_at, m_state, m_role, m_at, a_role, a_state, a_at, p_state, p_at, e_state, e_at, guard_for, guard_name, guard_at,
    arrayFilter((name, since, until) -> since <= {as_of:DateTime64(3, 'UTC')} AND (until = never OR until > {as_of:DateTime64(3, 'UTC')}), hold_name, hold_from, hold_to) AS holds,
    hold_name, hold_from, hold_to,
    if(rank = 0 OR is_final, 0, arrayFirstIndex((target, met_at) -> transform(target, s_names, s_ranks, 0) > rank AND (met_at = never OR met_at > {as_of:DateTime64(3, 'UTC')}), guard_for, guard_at)) AS w,
    if(w = 0, '', guard_name[w]) AS waits_for,
    if(w = 0, '', guard_for[w]) AS waits_to_be
FROM object_state FINAL
WHERE object_type = {type:String}
  AND (NOT arrayExists(s -> startsWith(s, 'tenant='), {scope:Array(String)}) OR has({scope:Array(String)}, 'tenant=' || tenant))
  AND (NOT arrayExists(s -> startsWith(s, 'region='), {scope:Array(String)}) OR has({scope:Array(String)}, 'region=' || region))
  AND (NOT arrayExists(s -> startsWith(s, 'warehouse='), {scope:Array(String)}) OR has({scope:Array(String)}, 'warehouse=' || warehouse))
  AND (NOT arrayExists(s -> startsWith(s, 'carrier='), {scope:Array(String)}) OR has({scope:Array(String)}, 'carrier=' || carrier))
  AND (NOT arrayExists(s -> startsWith(s, 'customer='), {scope:Array(String)}) OR has({scope:Array(String)}, 'customer=' || customer))
  AND (NOT arrayExists(s -> startsWith(s, 'order_class='), {scope:Array(String)}) OR has({scope:Array(String)}, 'order_class=' || order_class))
  AND (NOT arrayExists(s -> startsWith(s, 'mode='), {scope:Array(String)}) OR has({scope:Array(String)}, 'mode=' || mode))

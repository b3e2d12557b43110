/*
The state of the objects in touched (step 1): their own fold, with what they inherit from the objects they are linked to.

Rules (docs/state.md): a link holds while an event of either side says so; an empty cut is taken from a linked order, then
shipment, invoice, return, inventory, the lowest id first; an object without an amount is worth its orders; a guard is met when
every object that it looks at meets it. An object that others name and that says nothing itself is a shell (n_events = 0).
Everything is a function of object_own and the catalogue.
*/
INSERT INTO {out}
WITH
    toDateTime64(0, 3, 'UTC') AS never,
    (SELECT groupArray(currency) FROM (SELECT * FROM gov_rates ORDER BY currency)) AS r_keys,
    (SELECT groupArray(rate) FROM (SELECT * FROM gov_rates ORDER BY currency)) AS r_rates,
    (SELECT groupArray((toString(object_type), toString(for_state), toString(name), toString(on_type), rank, toString(no_hold), for_rank))
     FROM (SELECT * FROM gov_guards ORDER BY object_type, position)) AS g_all,
    own AS MATERIALIZED
    (
        SELECT *, toDecimal64(toFloat64(amount) * transform(currency, r_keys, r_rates, toFloat64(0)), 2) AS own_value
        FROM {own} FINAL
        PREWHERE (object_type, object_id) IN (SELECT object_type, object_id FROM touched WHERE step IN (1, 2))
    ),
    pairs AS
    (
        SELECT DISTINCT a_type, a_id, b_type, b_id
        FROM {links}
        PREWHERE (a_type, a_id) IN (SELECT object_type, object_id FROM touched WHERE step = 1)
    ),
    seen AS
    (
        SELECT
            p.a_type AS object_type, p.a_id AS object_id, p.b_type AS z_type, p.b_id AS z_id,
            z.tenant AS z_tenant, z.region AS z_region, z.warehouse AS z_warehouse, z.carrier AS z_carrier, z.customer AS z_customer,
            z.order_class AS z_order_class, z.mode AS z_mode, z.own_value AS z_value, z.first_at AS z_first_at,
            z.h_at AS z_at, z.h_rank AS z_rank, z.hold_name AS z_hold, z.hold_to AS z_hold_to,
            -- whose cut is taken first, as one text: by a tuple it takes five times as long
            concat(transform(z_type, ['order', 'shipment', 'invoice', 'return', 'inventory'], ['1', '2', '3', '4', '5'], '9'), z_id) AS z_order
        FROM pairs AS p
        LEFT JOIN own AS z ON z.object_type = p.b_type AND z.object_id = p.b_id
        LEFT JOIN (SELECT object_type, object_id, link_type, link_id FROM own) AS y ON y.object_type = p.a_type AND y.object_id = p.a_id
        WHERE has(arrayZip(y.link_type, y.link_id), (p.b_type, p.b_id)) OR has(arrayZip(z.link_type, z.link_id), (p.a_type, p.a_id))
    ),
    inherited AS
    (
        SELECT
            object_type, object_id,
            argMinIf(z_tenant, z_order, z_tenant != '') AS n_tenant,
            argMinIf(z_region, z_order, z_region != '') AS n_region,
            argMinIf(z_warehouse, z_order, z_warehouse != '') AS n_warehouse,
            argMinIf(z_carrier, z_order, z_carrier != '') AS n_carrier,
            argMinIf(z_customer, z_order, z_customer != '') AS n_customer,
            argMinIf(z_order_class, z_order, z_order_class != '') AS n_order_class,
            argMinIf(z_mode, z_order, z_mode != '') AS n_mode,
            sumIf(z_value, z_type = 'order') AS n_value,
            arraySort(groupArray((z_type, z_id))) AS n_links,
            groupArray((toString(z_type), z_at, z_rank, z_hold, z_hold_to, z_first_at)) AS n_facts
        FROM seen
        GROUP BY object_type, object_id
    ),
    joined AS
    (
        SELECT
            t.object_type AS y_type, t.object_id AS y_id, o.*, n.*,
            o.n_events > 0 AS is_known,
            arrayFilter(g -> g.1 = y_type, g_all) AS guards,
            arrayConcat(if(is_known, [(toString(y_type), o.h_at, o.h_rank, o.hold_name, o.hold_to, o.first_at)], []), n.n_facts) AS facts,
            arrayMap(g -> arrayFilter(f -> f.1 = g.4, facts), guards) AS looked_at,
            arrayMap((g, fs) -> arrayMap(f -> if(g.6 = '',
                arrayMin(arrayFilter((t, r) -> r >= g.5, f.2, f.3)),
                if(arrayExists((name, until) -> name = g.6 AND until = never, f.4, f.5), never,
                   greatest(f.6, arrayMax(arrayFilter((until, name) -> name = g.6, f.5, f.4))))), fs), guards, looked_at) AS met,
            arrayMap((g, m) -> multiIf(empty(m), if(g.6 = '', never, o.first_at), has(m, never), never, arrayMax(m)), guards, met) AS met_at
        FROM (SELECT DISTINCT object_type, object_id FROM touched WHERE step = 1) AS t
        LEFT JOIN own AS o ON o.object_type = t.object_type AND o.object_id = t.object_id
        LEFT JOIN inherited AS n ON n.object_type = t.object_type AND n.object_id = t.object_id
        WHERE is_known OR notEmpty(n.n_links)
    )
SELECT
    y_type, y_id,
    if(tenant != '', tenant, n_tenant) AS c_tenant, if(region != '', region, n_region) AS c_region,
    if(warehouse != '', warehouse, n_warehouse) AS c_warehouse, if(carrier != '', carrier, n_carrier) AS c_carrier,
    if(customer != '', customer, n_customer) AS c_customer, if(order_class != '', order_class, n_order_class) AS c_order_class,
    if(mode != '', mode, n_mode) AS c_mode,
    amount, currency, if(currency = '' AND y_type IN ('shipment', 'invoice', 'return'), n_value, own_value) AS c_value, quantity, unit,
    first_at, last_at, progress_at, h_state, h_at, h_rank, h_level, h_flags, m_state, m_role, m_at, a_role, a_state, a_at,
    p_state, p_at, e_state, e_at, hold_name, hold_from, hold_to, hold_block,
    arrayMap(g -> g.2, guards) AS g_for, arrayMap(g -> g.7, guards) AS g_rank, arrayMap(g -> g.3, guards) AS g_name, met_at,
    arrayMap(l -> l.1, n_links) AS l_type, arrayMap(l -> l.2, n_links) AS l_id, keys, trace_id, n_events,
    cityHash64(c_tenant, c_region, c_warehouse, c_carrier, c_customer, c_order_class, c_mode, amount, currency, c_value, quantity, unit,
        first_at, last_at, progress_at, h_state, h_at, h_rank, h_level, h_flags, m_state, m_role, m_at, a_role, a_state, a_at, p_state, p_at, e_state, e_at,
        hold_name, hold_from, hold_to, hold_block, g_for, g_rank, g_name, met_at, l_type, l_id, keys, trace_id, n_events) AS digest,
    1, {ver:UInt64}
FROM joined

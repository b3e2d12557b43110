-- The value of the cut that is asked for by name; '' for any other name. Writer: none.
-- Of a statement that Milepost asks, schema/flat.py leaves the one column.
CREATE OR REPLACE FUNCTION milepost_cut AS (wanted, tenant, region, warehouse, carrier, customer, order_class, mode) ->
    toString(multiIf(
        wanted = 'region', region, wanted = 'warehouse', warehouse, wanted = 'carrier', carrier, wanted = 'customer', customer,
        wanted = 'order_class', order_class, wanted = 'mode', mode, wanted = 'tenant', tenant, ''))

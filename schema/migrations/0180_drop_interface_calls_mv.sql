-- The view that derives calls from spans is made anew, at a third of its cost (0181). What is sent between the two is healed
-- (schema/telemetry.py), as what a crash leaves is.
DROP VIEW interface_calls_mv

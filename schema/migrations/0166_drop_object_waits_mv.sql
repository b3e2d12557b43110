-- Waits get another sort key (0168): what writes them is made again with the views.
DROP VIEW IF EXISTS object_waits_mv

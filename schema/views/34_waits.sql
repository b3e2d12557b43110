-- Who waits, or waited, for what: one row a wait of an object, from where it begins to where it ends or is dropped.
-- Parameters: what ('workflows', 'stages', or a tolerance that names a wait); since, before which waits that were gone are left out;
-- scope and by as in objects. `gone_at` is far ahead while a wait lasts; times may lie after any as_of: who reads them decides at which
-- moment it looks. `is_ended`: gone because what was waited for came; else it was dropped (cancelled, blocked, put back). `elapsed_s` of what
-- is gone, `since` and `open_since_s` of what lasts: see object_waits. A version of an object is taken back with all of its waits.
SELECT * EXCEPT (sign, ver, is_in_time)
FROM wait_changes(what = {what:String}, since = {since:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String})
-- By one number: three columns, one of them a text, take a third longer to look up.
WHERE sign = 1 AND cityHash64(object_type, object_id, ver) NOT IN
(
    SELECT cityHash64(object_type, object_id, ver) FROM object_waits
    WHERE what = {what:String} AND gone_at >= {since:DateTime64(3, 'UTC')} AND sign = -1
)

-- Exceptions that one interface is behind: what detectors say of the interface itself, and what is open on the objects that it hit.
-- Parameters: interface, from, as_of, scope. Grain: exception, as in the inbox; `how` is edge, failed or overdue (see interface_impact).
-- Of an object that failed on the interface every open exception counts; of one that is only overdue those that wait for what it carries.
WITH
    hit AS
    (
        SELECT object_type AS hit_type, object_id AS hit_id, any(how) AS via
        FROM interface_impact(from = {from:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})
        WHERE interface = {interface:String}
        GROUP BY hit_type, hit_id
    ),
    (SELECT groupArrayArray(arrayMap(c -> c.1 || '.' || c.2, carries)) FROM gov_interfaces WHERE interface = {interface:String}) AS carried
SELECT i.*, if(i.interface = {interface:String}, 'edge', h.via) AS how
FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}) AS i
LEFT JOIN hit AS h ON h.hit_type = i.object_type AND h.hit_id = i.object_id
LEFT JOIN (SELECT code AS named, awaits FROM gov_exceptions) AS g ON g.named = i.code
WHERE i.is_open AND (i.interface = {interface:String} OR (i.object_id != '' AND (h.via = 'failed' OR (h.via = 'overdue' AND hasAny(g.awaits, carried)))))

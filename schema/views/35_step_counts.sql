-- Waits by bucket, counted: what ended in it, and what was open past its limit at its end, so that a bucket says what a headline
-- over it would have said at its end. Parameters as in open_changes; not for stages, which lie over each other.
-- Grain: bucket x series x name, possibly in several rows. `series` is the cut `by`, also 'workflow' (the wait's name).
SELECT bucket, if({by:String} = 'workflow', toString(name), cut) AS series, name, n, n_in_time
FROM
(
    SELECT
        milepost_bucket({from:DateTime64(3, 'UTC')}, {bucket_s:UInt32}, any(gone_at)) AS bucket, any(series) AS cut, any(c.name) AS name,
        sum(sign) AS n, sumIf(sign, is_in_time) AS n_in_time
    FROM wait_changes(what = {what:String}, since = {from:DateTime64(3, 'UTC')}, scope = {scope:Array(String)}, by = {by:String}) AS c
    WHERE is_ended AND gone_at < {to:DateTime64(3, 'UTC')} AND gone_at <= {as_of:DateTime64(3, 'UTC')}
    -- By one number: by three columns, one of them a text, a row takes twice as long.
    GROUP BY bitXor(cityHash64(c.name, series), intDiv(toUnixTimestamp64Milli(gone_at) - toUnixTimestamp64Milli({from:DateTime64(3, 'UTC')}), {bucket_s:UInt32} * 1000))
    UNION ALL
    SELECT bucket, series, name, sum(sign), 0
    FROM open_changes(
        what = {what:String}, from = {from:DateTime64(3, 'UTC')}, to = {to:DateTime64(3, 'UTC')}, as_of = {as_of:DateTime64(3, 'UTC')},
        bucket_s = {bucket_s:UInt32}, by = {by:String}, scope = {scope:Array(String)})
    GROUP BY bucket, series, name
)

-- The inbox with the saved filters that each exception belongs to: needs, mine, unowned, past, postponed, open, closed, team:<owner>.
-- Parameters: as_of, scope, me (whose `mine` is). A filter's count and its list are this one condition.
SELECT
    *,
    arrayFilter(f -> f != '', [
        if(needs_us, 'needs', ''),
        if(is_open AND assignee != '' AND assignee = {me:String}, 'mine', ''),
        if(needs_us AND n_verbs = 0, 'unowned', ''),
        if(needs_us AND is_past_sla, 'past', ''),
        if(is_open AND is_aside, 'postponed', ''),
        if(is_open, 'open', ''),
        if(NOT is_open AND closed_at > {as_of:DateTime64(3, 'UTC')} - INTERVAL 1 DAY, 'closed', ''),
        if(needs_us, 'team:' || owner, '')
    ]) AS filters
FROM inbox(as_of = {as_of:DateTime64(3, 'UTC')}, scope = {scope:Array(String)})

-- When a version was first seen on an interface, kept with each part: what asks for it read every call of a month.
ALTER TABLE interface_calls ADD PROJECTION IF NOT EXISTS first_seen (SELECT interface, version, min(at) GROUP BY interface, version)

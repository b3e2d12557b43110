-- Ten parts of a size are merged into one, and not five: merges of what comes in by the second took a third of what spans cost on their
-- way in, and take a third less so. A day that is not over lies in more parts meanwhile.
ALTER TABLE otel_traces MODIFY SETTING merge_selector_base = 10

-- As 0200.
ALTER TABLE interface_calls MODIFY SETTING merge_selector_base = 10

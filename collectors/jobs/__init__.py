"""What runs on a clock: refresh the state, run the detectors, snapshot the KPIs, keep the store in order."""

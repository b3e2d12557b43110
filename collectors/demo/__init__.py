"""A simulated enterprise: its history, its telemetry, its faults with the truth about them, and its life after the start."""

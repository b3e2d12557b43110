"""What is stored and what it means: tables, the catalogue, KPIs, detectors, state. Imports nothing of the other rooms."""

"""How data gets in, and what runs on a clock. Imports schema, never dashboard."""

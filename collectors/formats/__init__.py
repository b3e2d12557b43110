"""What bytes mean. A format is one module with `decode(message, context) -> Decoded`, found by its name; it does no I/O."""

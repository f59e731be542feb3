"""Programs that repeat one of the portal's operations for a benchmark."""

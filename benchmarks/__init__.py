"""What asv measures over commits."""

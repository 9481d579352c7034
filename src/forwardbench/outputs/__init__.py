"""What is drawn and written of results."""

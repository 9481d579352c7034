"""Mathematics that knows nothing of the subject: intervals and fits."""

"""Mathematics that knows nothing of the subject: exact sums, intervals and fits."""

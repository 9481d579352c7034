"""General mathematics: exact sums, intervals and fits."""

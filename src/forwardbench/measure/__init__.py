"""The only place that starts timing: what runs where, in which order, on which threads."""

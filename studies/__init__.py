"""Studies of forwardbench itself: the evidence of docs/method.md and docs/fairness.md."""

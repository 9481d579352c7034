"""What is right: nothing is timed that is not."""

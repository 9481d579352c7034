"""The frameworks that networks are usually written in, on the CPU."""

"""Everything that times: what runs in which process, in which order and on which threads."""

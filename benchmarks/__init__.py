"""Speed, scale and cost: each one command, JSON out, ratios rather than seconds."""

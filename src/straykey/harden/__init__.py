"""What makes stolen keys worthless beforehand: what to set, what it would stop and what it would break."""

"""How stolen keys are made worthless beforehand: what would have to be set, what it would stop and what it would break."""

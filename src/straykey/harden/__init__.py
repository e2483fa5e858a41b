"""What makes a stolen key worth nothing beforehand: what to set, what it would stop and what it would break."""

"""What locks a thief out, and what else it would break."""

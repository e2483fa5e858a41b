"""Where findings are told."""

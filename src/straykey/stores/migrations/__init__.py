"""The steps from one version of the tables to the next, each once and never changed."""

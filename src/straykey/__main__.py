"""`python -m straykey`."""

from straykey.cli import main

main()

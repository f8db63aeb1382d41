"""`python -m framework` is `vitrina`."""

from framework.cli import main

main()

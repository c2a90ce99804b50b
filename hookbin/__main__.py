"""`python -m hookbin` is `hookbin`."""

from hookbin.cli import main

main()

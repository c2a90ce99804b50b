"""`python -m hookbin` is `hookbin`."""

from hookbin.cli.main import main

main()

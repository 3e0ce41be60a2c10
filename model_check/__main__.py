"""`python -m model_check` is `bwcheck`."""

from model_check.cli import main

if __name__ == "__main__":
    main()

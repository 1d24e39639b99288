"""`python -m sauropod`, for where the command is not on the path."""

from sauropod.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

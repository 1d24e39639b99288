"""`python -m sauropod.cli`, where the `sauropod` script is not on the path."""

import sys

from sauropod.cli import main

sys.exit(main())

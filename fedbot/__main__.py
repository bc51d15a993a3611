"""`python -m fedbot` is `fedbot`."""

import sys

from fedbot.cli import main

sys.exit(main())

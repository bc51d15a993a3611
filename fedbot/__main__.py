"""`python -m fedbot` is `fedbot`."""

import sys

from fedbot.cli.main import main

sys.exit(main())

"""``python -m hueyio``."""

import sys

from hueyio.cli import main

sys.exit(main())

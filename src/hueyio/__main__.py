"""``python -m hueyio``."""

import sys

from hueyio.worker.cli import main

sys.exit(main())

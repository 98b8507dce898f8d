"""``python -m hueyio``."""

import sys

from hueyio.worker.cli.main import main

sys.exit(main())

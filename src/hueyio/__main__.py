"""``python -m hueyio``."""

import sys

from hueyio.cli.main import main

sys.exit(main())

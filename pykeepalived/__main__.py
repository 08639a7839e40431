"""``python -m pykeepalived``."""

import sys

from pykeepalived.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

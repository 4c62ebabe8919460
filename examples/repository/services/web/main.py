"""Say what this application runs on."""

import sys
from importlib.metadata import version

print(f"click {version('click')} in {sys.prefix}")

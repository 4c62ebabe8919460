"""Print the version of click that this application runs with, and where."""

import sys
from importlib.metadata import version

print(f"click {version('click')} in {sys.prefix}")

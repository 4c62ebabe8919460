"""Keep the requirements of each application apart: one environment per application, installed by its own pip."""

__version__ = "0.1.0"

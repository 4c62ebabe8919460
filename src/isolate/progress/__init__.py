"""Display of progress: plain lines, one changing line, or one changing line per application."""

"""Run pip as a program: its command lines, its settings, its report, and explanations of its failures."""

"""What is kept once for all applications: distributions as pip installed them, each in an entry of its own."""

"""What is kept once for all applications: each distribution as pip installed it, in an entry."""

"""What tests are made of: true wheels, true sdists, and an index on this machine."""

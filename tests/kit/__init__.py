"""What tests are made of: real wheels and sdists, and a package index on this machine."""
